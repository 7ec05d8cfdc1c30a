"""Category (内容分类): a small linear model over the words of category_words.csv; the best three are proposed."""

from __future__ import annotations

from collections.abc import Iterable
from math import log

from config.categories import Categories
from normalizer.draft import Draft
from normalizer.lexicon import Lexicon
from petition.petition import CategoryProposal

NAME = "category"
_TITLE = 1.6
_AGAIN = 0.2  # a word said again adds this share of its weight, three times at most
_TO_LEVEL_ONE = 0.25  # what the words of a whole field give to each of its classes already in play
_UNKNOWN = 2.0  # weight of "none of these", so that one faint word does not look sure
_PROPOSED = 3
_SURE = 0.3
_FAINT = 0.04  # a share below this is not worth an officer's look
# Back-off: the single characters of the words. It ranks what the words leave open and is too weak to outvote one.
_BACK_OFF = 0.3
_CLEAR = 6.0  # points of a class from which the words have said enough
_BACKED = 20  # classes that get it; the next one's value is noise common to all and is taken off


def _characters(words: Iterable[tuple[str, str, float]]) -> dict[str, tuple[tuple[str, float], ...]]:
    """Character -> (class, value): its share in the class's words, weighed by how few classes use it."""
    table: dict[str, dict[str, float]] = {}
    codes: set[str] = set()
    for code, word, weight in words:
        if "." in code:
            codes.add(code)
            for sign in word:
                row = table.setdefault(sign, {})
                row[code] = row.get(code, 0.0) + weight
    found = {}
    for sign, row in table.items():
        scale = _BACK_OFF * log(len(codes) / len(row)) / (sum(row.values()) + 1)
        if scale > 0:
            found[sign] = tuple((code, value * scale) for code, value in row.items())
    return found


class CategoryStage:
    """Score = a class's share of all the weight met, 0..1; the stated class is kept, the proposals stand beside it."""

    name = NAME

    def __init__(self, categories: Categories) -> None:
        self._categories = categories
        self._lexicon = Lexicon((word, (code, weight)) for code, word, weight in categories.words)
        self._characters = _characters(categories.words)

    def __call__(self, draft: Draft) -> None:
        """Propose; a class is filled in only if none was stated and the best one is clear enough."""
        if draft.category:
            self._stated(draft)
        points, spans = self._points(draft)
        self._back_off(draft, points)
        total = sum(points.values()) + _UNKNOWN
        ranked = sorted(points, key=lambda code: (-points[code], code))[:_PROPOSED]
        draft.category_proposals = tuple(
            CategoryProposal(code=code, name=self._categories.full_name(code), score=round(points[code] / total, 3))
            for code in ranked
            if points[code] >= _FAINT * total
        )
        if draft.category_proposals:
            best = draft.category_proposals[0]
            source, span = spans.get(best.code, ("content", None))
            if best.score >= _SURE and span is not None:
                draft.found("category", best.code, stage=NAME, source=source, confidence=best.score, span=span)
        if not draft.category:
            draft.note(NAME, "CATEGORY_UNCLEAR", "内容分类不明确,请从建议中选定或自行选定。", "category")

    def _stated(self, draft: Draft) -> None:
        row = self._categories.by_name(draft.category)
        if row is not None:
            draft.category = row.code
            return
        draft.problem(NAME, "category", "CATEGORY_UNKNOWN", "填写的内容分类不在分类表中,请重新选定。")
        draft.category = ""
        draft.evidence.pop("category", None)

    def _back_off(self, draft: Draft, points: dict[str, float]) -> None:
        if len(points) >= _PROPOSED and max(points.values()) >= _CLEAR:
            return
        values: dict[str, float] = {}
        characters = self._characters
        for sign in {sign for passage in draft.passages for sign in passage.text}:
            for code, value in characters.get(sign, ()):
                values[code] = values.get(code, 0.0) + value
        ranked = sorted(values, key=lambda code: (-values[code], code))
        floor = values[ranked[_BACKED]] if len(ranked) > _BACKED else 0.0
        for code in ranked[:_BACKED]:
            points[code] = points.get(code, 0.0) + values[code] - floor

    def _points(self, draft: Draft) -> tuple[dict[str, float], dict[str, tuple[str, tuple[int, int]]]]:
        counts: dict[tuple[str, str], float] = {}
        spans: dict[str, tuple[float, str, tuple[int, int]]] = {}
        points: dict[str, float] = {}
        for source, text in draft.passages:
            factor = _TITLE if source == "title" else 1.0
            for start, end, marks in self._lexicon.scan(text):
                word = text[start:end]
                for code, weight in marks:
                    met = counts.get((code, word), 0.0)
                    value = weight * factor if not met else weight * _AGAIN if met < 4 else 0.0
                    counts[code, word] = met + 1
                    points[code] = points.get(code, 0.0) + value
                    if value > spans.get(code, (0.0,))[0]:
                        spans[code] = (value, source, (start, end))
        whole = {code: points.pop(code) for code in [*points] if "." not in code}
        for code in points:
            points[code] += _TO_LEVEL_ONE * whole.get(code[:2], 0.0)
        for code, value in whole.items():
            if not any(inner.startswith(code + ".") for inner in points):
                points[code] = 0.5 * value
        return points, {code: (source, span) for code, (_, source, span) in spans.items()}
