"""Theme (主题渠道): what the operator proposes for petitions of a theme channel - a class and the least urgency."""

from __future__ import annotations

from config.categories import Categories
from config.themes import Themes
from normalizer.draft import Draft
from petition.origin import origin_of
from petition.petition import CategoryProposal, Urgency

NAME = "theme"
_RANK = {Urgency.NORMAL: 0, Urgency.URGENT: 1, Urgency.MAJOR: 2}
_PROPOSED = 3
_CLASS = 0.5  # as sure as an even guess: clear words of the petition itself are surer
_FLOOR = 0.95  # the operator's rule holds for every petition of the theme; no word in the text lowers it


class ThemeStage:
    """Proposals with their source; a person confirms both (guesses are suggestions)."""

    name = NAME

    def __init__(self, themes: Themes, categories: Categories) -> None:
        self._themes = themes
        self._categories = categories

    def __call__(self, draft: Draft) -> None:
        """Nothing for a petition without a theme, or with one whose file is gone."""
        theme = self._themes.find(origin_of(draft.sub_source).theme)
        if theme is None:
            return
        draft.note(NAME, "THEME", f"从主题渠道“{theme.title}”收到。")
        for words in theme.deadlines:
            draft.note(NAME, "THEME_DEADLINES", f"主题渠道的期限说明：{words}")
        code = theme.proposal.category
        if code:
            others = [each for each in draft.category_proposals if each.code != code]
            preset = CategoryProposal(code=code, name=self._categories.full_name(code), score=_CLASS)
            draft.category_proposals = (preset, *others)[:_PROPOSED]
            if not draft.category.startswith(f"{code}."):  # what was read is the same and more exact
                draft.found("category", code, stage=NAME, source=NAME, confidence=_CLASS)
        if not theme.proposal.urgency:
            return
        level = Urgency(theme.proposal.urgency)
        if _RANK[draft.urgency] < _RANK[level]:
            draft.found("urgency", level, stage=NAME, source=NAME, confidence=_FLOOR)
            words = f"主题渠道“{theme.title}”的最低紧急程度（{theme.proposal.source}），请核实。"
            draft.note(NAME, "THEME_URGENCY", words, "urgency")
