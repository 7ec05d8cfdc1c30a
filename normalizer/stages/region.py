"""Region (属地): where the problem is, apart from where the people live; a residence is only the last resort."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from config.regions import Level, contains, level_of, significant
from config.words import Words
from normalizer.draft import Draft
from normalizer.gazetteer import Gazetteer, Place
from petition.people import Role

NAME = "region"
_BEFORE, _AFTER = 10, 6  # characters around a place name in which a cue counts
_STOPS = re.compile(r"[。！？!?；;，,\n]")
_NEAR_TIE = 0.85


@dataclass(frozen=True, slots=True)
class _Mention:
    code: str
    weight: float
    source: str
    place: Place
    kind: str  # problem, residence or transit


def _cues(words: Mapping[str, float]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


class RegionStage:
    """Finds `problem_region` (stated code or name, place of the event, text, residence) and each `region_code`."""

    name = NAME

    def __init__(self, gazetteer: Gazetteer, words: Words) -> None:
        self._gazetteer = gazetteer
        self._regions = gazetteer.regions
        self._weights = {kind: words.groups[f"region.{kind}"] for kind in ("residence", "transit", "problem")}
        self._patterns = {kind: _cues(table) for kind, table in self._weights.items()}

    def __call__(self, draft: Draft) -> None:
        """Residences first, since they help to tell two towns of one name apart."""
        homes = self._homes(draft)
        if self._said(draft, homes):
            return
        if draft.occur_place:
            code = self._gazetteer.resolve(draft.occur_place, homes)
            if code and level_of(code) >= Level.COUNTY:
                span = (0, len(draft.occur_place))
                draft.found("problem_region", code, stage=NAME, source="occur_place", confidence=0.9, span=span)
                return
        if self._written(draft, homes):
            return
        if homes and not draft.is_anonymous:
            draft.found("problem_region", homes[0], stage=NAME, source="residence", confidence=0.3)
            words = f"没有写明问题发生地,暂按住址{self._regions.full_name(homes[0])},请核对。"
            draft.note(NAME, "REGION_FROM_RESIDENCE", words, "problem_region")
        elif not draft.problem_region:
            draft.note(NAME, "REGION_UNKNOWN", "看不出问题属地,请人工确定。", "problem_region")

    def _homes(self, draft: Draft) -> list[str]:
        """The codes of the residences, the petitioner's own before the agent's."""
        found: list[tuple[bool, str]] = []
        for place, person in enumerate(draft.petitioners[:20]):
            path = f"petitioners.{place}.region_code"
            code = self._regions.normal(person.region_code) if person.region_code.isdigit() else ""
            if person.region_code and not code:
                draft.note(NAME, "REGION_CODE_UNKNOWN", "住址的区划代码不在现行区划表中,请核对。", path)
            if not code and person.address:
                code = self._gazetteer.resolve(person.address)
                if code and not person.region_code:
                    source = f"petitioners.{place}.address"
                    draft.found(path, code, stage=NAME, source=source, confidence=0.85)
            if code:
                found.append((person.role is Role.AGENT, code))
        return [code for _, code in sorted(found, key=lambda pair: pair[0])]

    def _said(self, draft: Draft, homes: list[str]) -> bool:
        said = draft.problem_region.strip()
        if not said:
            return False
        code = self._regions.normal(said) if said.isascii() and said.isdigit() else self._gazetteer.resolve(said, homes)
        if code:
            draft.problem_region = code
            return True
        words = "填写的问题属地不在现行区划表中,已从正文另找,请核对。"
        draft.problem(NAME, "problem_region", "REGION_UNKNOWN_STATED", words)
        draft.problem_region = ""
        draft.evidence.pop("problem_region", None)
        return False

    def _written(self, draft: Draft, homes: list[str]) -> bool:
        mentions = self._mentions(draft, homes)
        if not mentions:
            return False
        scores = self._scores(mentions)
        best = max(scores, key=lambda code: scores[code])
        own = max((m for m in mentions if m.code == best), key=lambda mention: mention.weight)
        sure = 0.75 if own.place.short else 0.9
        if own.kind != "problem":
            sure = 0.5 if own.kind == "residence" else 0.4
        rivals = [
            code
            for code in scores
            if scores[code] >= _NEAR_TIE * scores[best] and not contains(code, best) and not contains(best, code)
        ]
        if rivals:
            sure = min(sure, 0.5)
            names = "、".join(self._regions.full_name(code) for code in (best, *rivals[:2]))
            draft.note(NAME, "REGION_SEVERAL", f"正文提到几个地方({names}),请确定问题属地。", "problem_region")
        if level_of(best) is Level.PROVINCE:
            sure = min(sure, 0.4)
        span = (own.place.start, own.place.end)
        draft.found("problem_region", best, stage=NAME, source=own.source, confidence=sure, span=span)
        return True

    def _scores(self, mentions: list[_Mention]) -> dict[str, float]:
        """Each place named gets its own weight, most of that of the places around it and some of those within it."""
        weights: dict[str, float] = {}
        for mention in mentions:
            weights[mention.code] = weights.get(mention.code, 0.0) + mention.weight
        stems = {code: significant(code) for code in weights}
        scores = {}
        for code, stem in stems.items():
            total = 0.1 * level_of(code)
            for other, beginning in stems.items():
                share = 1.0 if other == code else 0.6 if stem.startswith(beginning) else 0.3
                if share > 0.3 or beginning.startswith(stem):
                    total += share * weights[other]
            scores[code] = total
        return scores

    def _mentions(self, draft: Draft, homes: list[str]) -> list[_Mention]:
        found: list[_Mention] = []
        unclear: Place | None = None
        for source, text in draft.passages:
            for place in self._gazetteer.places(text, homes):
                code = place.codes[0] if len(place.codes) == 1 else self._common_parent(place)
                if not code:
                    unclear = unclear or place
                    continue
                kind, weight = self._weigh(text, place)
                found.append(_Mention(code, weight * (1.3 if source == "title" else 1.0), source, place, kind))
        if unclear is not None and not found:
            names = "、".join(self._regions.full_name(code) for code in unclear.codes[:3])
            draft.note(NAME, "REGION_AMBIGUOUS", f"地名有几种可能({names}),请确定问题属地。", "problem_region")
        return found

    def _common_parent(self, place: Place) -> str:
        """What several towns of one name have in common: their city, if it is one; a province says too little."""
        cities = {significant(code)[:4] for code in place.codes}
        if len(cities) == 1:
            counties = {significant(code)[:6] for code in place.codes}
            digits = counties.pop() if len(counties) == 1 else cities.pop()
            return self._regions.normal(digits.ljust(6, "0"))
        return ""

    def _weigh(self, text: str, place: Place) -> tuple[str, float]:
        before = _STOPS.split(text[max(0, place.start - _BEFORE) : place.start])[-1]
        after = _STOPS.split(text[place.end : place.end + _AFTER], maxsplit=1)[0]
        cues = dict.fromkeys(self._patterns, 0.0)
        for kind, pattern in self._patterns.items():
            for match in pattern.finditer(f"{before}\n{after}" if kind != "residence" else before):
                cues[kind] = max(cues[kind], self._weights[kind][match[0]])
        if after.startswith("人") and not after.startswith("人民"):
            cues["residence"] = max(cues["residence"], 0.7)
        weight = 1.0 + 0.15 * (place.depth - 1) - (0.2 if place.short else 0.0)
        strongest = max(cues["residence"], cues["transit"])
        weight = max(0.1, weight - 0.75 * strongest + 0.6 * cues["problem"])
        if strongest >= 0.4 and strongest > cues["problem"]:
            return ("residence" if cues["residence"] >= cues["transit"] else "transit"), weight
        return "problem", weight
