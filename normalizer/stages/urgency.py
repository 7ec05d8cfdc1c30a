"""Urgency (紧急程度): NORMAL, URGENT or MAJOR (重大紧急, Regulation art. 25), with the words that tell so."""

from __future__ import annotations

import re

from normalizer.draft import Draft, Signal
from petition.petition import Purpose, Urgency

NAME = "urgency"
_NOT = re.compile(r"(?:没有|没|未|不会|不是|并非|无|避免|防止|杜绝|谨防)(?:人员|人|发生|造成|出现|再|有)?$")
_NEAR = 14  # characters in which a word about the past or about money tempers a danger word


class UrgencyStage:
    """Danger to people now, threats to life and gatherings are MAJOR; need that cannot wait is URGENT."""

    name = NAME

    def __call__(self, draft: Draft) -> None:
        """Suggest the level; a person decides and reports (art. 25)."""
        texts = {passage.source: passage.text for passage in draft.passages}
        danger = self._danger(draft, texts)
        now = self._of(draft, "urgency.now", texts)
        life, crowd = self._of(draft, "urgency.life", texts), self._of(draft, "urgency.crowd", texts)
        pressing, frail = self._of(draft, "urgency.pressing", texts), self._of(draft, "urgency.frail", texts)
        factor = 0.4 if draft.purpose in (Purpose.SUGGESTION, Purpose.CONSULT) else 1.0
        hazard, nearness = factor * _top(danger), _top(now)
        if _top(life) >= 2.5:
            self._found(draft, Urgency.MAJOR, life, 0.85, "有轻生或极端言词")
        elif hazard >= 1.2 and nearness >= 1.0:
            sure = min(0.9, 0.5 + 0.1 * (hazard + nearness))
            self._found(draft, Urgency.MAJOR, danger + now, sure, "险情正在威胁人身安全")
        elif factor * _top(crowd) >= 2:
            self._found(draft, Urgency.MAJOR, crowd, 0.6, "可能引发聚集或群体冲突")
        elif hazard >= 1.2:
            self._found(draft, Urgency.URGENT, danger, 0.6, "提到险情,尚不清楚是否正在发生")
        elif pressing and factor * (_top(pressing) + 0.6 * _top(frail)) >= 1.5:
            self._found(draft, Urgency.URGENT, pressing + frail, 0.7, "急需处理")

    def _danger(self, draft: Draft, texts: dict[str, str]) -> list[tuple[float, Signal]]:
        past = draft.signals.get("urgency.past", ())
        found = []
        for weight, signal in self._of(draft, "urgency.danger", texts):
            tempering = sum(
                other.weight
                for other in past
                if other.source == signal.source
                and other.start - signal.end >= -_NEAR
                and other.end - signal.start <= _NEAR
            )
            found.append((weight * max(0.2, 1 - 0.6 * tempering), signal))
        return found

    def _of(self, draft: Draft, group: str, texts: dict[str, str]) -> list[tuple[float, Signal]]:
        """The words of a group that are not denied (没有人员伤亡), each word once at its first place."""
        found: dict[str, tuple[float, Signal]] = {}
        for signal in draft.signals.get(group, ()):
            before = texts[signal.source][max(0, signal.start - 6) : signal.start]
            if signal.word not in found and not _NOT.search(before):
                found[signal.word] = (signal.weight, signal)
        return list(found.values())

    def _found(
        self, draft: Draft, level: Urgency, signals: list[tuple[float, Signal]], confidence: float, reason: str
    ) -> None:
        _, best = max(signals, key=lambda pair: pair[0])
        said = "、".join(dict.fromkeys(signal.word for _, signal in sorted(signals, key=lambda p: -p[0])[:4]))
        span = (best.start, best.end)
        if draft.found("urgency", level, stage=NAME, source=best.source, confidence=confidence, span=span):
            words = f"{reason}(“{said}”)"
            if level is Urgency.MAJOR:
                words += ",请立即核实;属实的按信访工作条例第二十五条报告"
            draft.note(NAME, f"URGENCY_{level}", words + "。", "urgency")


def _top(signals: list[tuple[float, Signal]]) -> float:
    """The two strongest, so that many faint words do not add up to an alarm."""
    return sum(sorted((weight for weight, _ in signals), reverse=True)[:2])
