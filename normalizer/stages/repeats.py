"""Repeats (判重): proposes links to earlier cases - same person and matter, or others with the same matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.words import Words
from normalizer.candidates import Candidates, EarlierCase, PersonKey, Standing, keys_of
from normalizer.draft import Draft
from normalizer.likeness import Grams, likeness
from petition.petition import Related, RelatedKind

NAME = "repeats"
# How much a shared key says that it is the same person. A name with its county alone may be a namesake.
STRENGTH = {"id_no": 1.0, "uscc": 1.0, "mobile": 0.95, "email": 0.9, "landline": 0.75, "name": 0.7, "accused": 0.6}
WORDS = {
    "id_no": "证件号码",
    "uscc": "信用代码",
    "mobile": "手机号",
    "email": "邮箱",
    "landline": "固定电话",
    "name": "姓名和地区",
    "accused": "被反映人",
}
_LINK_TEXT = 0.10  # below this two texts of one person tell of different things
_LINK_MATTER = 0.30
_REPEAT_MATTER = 0.40  # from here `is_repeat` is suggested, not only a link
_JOINT_TEXT = 0.30
_JOINT_MATTER = 0.50
_SHARED_SIGNS = 0.45
_NEIGHBOURS = 40  # newest cases of the county that are compared
_PROPOSED = 5


@dataclass(frozen=True, slots=True)
class _Match:
    case: EarlierCase
    person: float
    kinds: tuple[str, ...]
    text: float
    matter: float


class RepeatsStage:
    """Three outcomes: LINK, JOINT or new. It only proposes; nothing is merged and no clock is moved (DOMAIN 3.6)."""

    name = NAME

    def __init__(self, candidates: Candidates, words: Words) -> None:
        self._candidates = candidates
        self._grams = Grams(words.groups["likeness.stop"])

    def __call__(self, draft: Draft) -> None:
        """Ask by people first, then by county; text alone never makes a link."""
        keys = frozenset(keys_of(draft.petitioners, draft.accused, draft.problem_region))
        if not draft.is_anonymous:
            keys = frozenset(key for key in keys if key.kind != "accused")
        itself = (draft.form, draft.raw_id)
        earlier = self._candidates.by_people(tuple(keys)) if keys else ()
        known = {case.case_no: case for case in earlier if case.event != itself}
        neighbours = [*self._neighbours(draft, known)]
        if not known and not neighbours:
            return
        grams = self._grams.of("\n".join((draft.title, draft.content or draft.main_facts, *draft.requests)))
        matches = [self._match(draft, grams, keys, case) for case in known.values()]
        links = [m for m in matches if m.person and m.text >= _LINK_TEXT and m.matter >= _LINK_MATTER]
        others = (self._match(draft, grams, keys, case) for case in neighbours)
        joints = [m for m in others if not m.person and m.text >= _JOINT_TEXT and m.matter >= _JOINT_MATTER]
        self._propose(draft, links, joints)

    def _neighbours(self, draft: Draft, known: Mapping[str, EarlierCase]) -> Iterator[EarlierCase]:
        """The county's newest cases of the same field; those found by people are not asked twice."""
        county = draft.problem_region[:6]
        if len(county) < 6 or county.endswith("00"):
            return
        fields = {row.code[:2] for row in draft.category_proposals} | {draft.category[:2]}
        signs = set(draft.title + draft.content)
        for case in self._candidates.by_region(county, _NEIGHBOURS):
            if case.case_no in known or case.event == (draft.form, draft.raw_id):
                continue
            if case.category and case.category[:2] not in fields:
                continue
            # Texts that share few characters share fewer pairs of them: a tenth of the cost of comparing in full.
            other = set(case.text)
            if len(signs & other) >= _SHARED_SIGNS * min(len(signs), len(other)):
                yield case

    def _match(self, draft: Draft, grams: frozenset[int], keys: frozenset[PersonKey], case: EarlierCase) -> _Match:
        kinds = sorted({key.kind for key in keys & case.keys}, key=lambda kind: -STRENGTH.get(kind, 0.0))
        text = likeness(grams, self._grams.of(case.text))
        matter = text
        if draft.category and case.category:
            same_field = 0.1 if draft.category[:2] == case.category[:2] else 0.0
            matter += 0.2 if draft.category == case.category else same_field
        if draft.problem_region and draft.problem_region[:6] == case.region[:6]:
            matter += 0.1
        person = STRENGTH.get(kinds[0], 0.0) if kinds else 0.0
        return _Match(case, person, tuple(kinds), text, min(1.0, matter))

    def _propose(self, draft: Draft, links: list[_Match], joints: list[_Match]) -> None:
        related: list[Related] = []
        links.sort(key=lambda m: -(m.person + m.matter))
        for match in links[:_PROPOSED]:
            same = "、".join(WORDS.get(kind, kind) for kind in match.kinds)
            reason = f"{same}相同,内容相似度{match.text:.0%},可能是同一人同一事项"
            score = round((match.person + match.matter) / 2, 3)
            related.append(Related(case_no=match.case.case_no, kind=RelatedKind.LINK, score=score, reason=reason))
            draft.note(NAME, "REPEAT_LINK", f"与{match.case.case_no}:{reason},请核对。", "related")
        joints.sort(key=lambda m: -m.matter)
        for match in joints[:_PROPOSED]:
            reason = f"同一县区、内容相似度{match.text:.0%},可能是他人反映的同一事项"
            score = round(match.matter, 3)
            related.append(Related(case_no=match.case.case_no, kind=RelatedKind.JOINT, score=score, reason=reason))
            draft.note(NAME, "REPEAT_JOINT", f"与{match.case.case_no}:{reason},请核对。", "related")
        draft.related = tuple(related)
        sure = [m for m in links if m.matter >= _REPEAT_MATTER and m.person >= STRENGTH["name"]]
        if sure:
            self._repeat(draft, sure)

    def _repeat(self, draft: Draft, sure: list[_Match]) -> None:
        confidence = min(0.95, (sure[0].person + sure[0].matter) / 2)
        first = min((m.case for m in sure), key=lambda case: case.repeat_count)
        count = max(m.case.repeat_count for m in sure) + 1
        for field, value in (
            ("is_repeat", True),
            ("is_first", False),
            ("first_case_no", first.first_case_no or first.case_no),
            ("repeat_count", count),
        ):
            draft.found(field, value, stage=NAME, source="candidates", confidence=confidence)
        standings = {m.case.standing for m in sure}
        if Standing.TERMINATED in standings:
            words = "同一事项可能已经三级终结,属实的按信访工作条例第三十六条不再受理,仍须登记并告知。"
            draft.note(NAME, "REPEAT_TERMINATED", words, "related")
        elif Standing.OPEN in standings:
            words = "同一事项可能正在办理,属实的按信访工作条例第十九条关联到原件,不另行受理,原件期限不变。"
            draft.note(NAME, "REPEAT_OPEN", words, "related")
