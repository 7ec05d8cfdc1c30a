"""Purpose (信访目的): suggestion, accusation, appeal or consultation (Regulation arts. 29-31), from weighted words."""

from __future__ import annotations

from normalizer.draft import Draft, Signal
from petition.petition import Purpose

NAME = "purpose"
LABELS = {
    Purpose.SUGGESTION: "建议意见",
    Purpose.ACCUSATION: "检举控告",
    Purpose.APPEAL: "申诉求决",
    Purpose.CONSULT: "咨询",
}
_TITLE = 1.5
_PRIOR = 1.0  # most petitions ask for something to be put right
_LEAST = 0.5  # less than one ordinary word says nothing
_TELLS = 15  # characters from which a text without any such word still tells of a trouble


def weigh(draft: Draft, group: str) -> float:
    """The sum of the weights of a group's words, each word once, those in the title half as much again."""
    best: dict[str, float] = {}
    for signal in draft.signals.get(group, ()):
        value = signal.weight * (_TITLE if signal.source == "title" else 1.0)
        best[signal.word] = max(best.get(signal.word, 0.0), value)
    return sum(best.values())


def strongest(draft: Draft, *groups: str) -> Signal | None:
    """The weightiest word of the groups, the first one among equals."""
    signals = [signal for group in groups for signal in draft.signals.get(group, ())]
    return max(signals, key=lambda signal: signal.weight, default=None)


class PurposeStage:
    """Suggests `purpose`; `purpose_label` follows whatever purpose stands at the end."""

    name = NAME

    def __call__(self, draft: Draft) -> None:
        """An accusation is misconduct together with an office or a word of accusing: 举报 alone is often an appeal."""
        if draft.purpose is None:
            self._suggest(draft)
        if draft.purpose is not None:
            draft.purpose_label = LABELS[draft.purpose]

    def _suggest(self, draft: Draft) -> None:
        accusing, misconduct = weigh(draft, "purpose.accusation"), weigh(draft, "purpose.misconduct")
        office = weigh(draft, "purpose.office")
        appeal = weigh(draft, "purpose.appeal")
        if misconduct and (office or accusing >= 2):
            accusation = accusing + misconduct + min(office, 2.0)
        elif accusing >= 2.5:
            accusation = accusing
        else:
            accusation = 0.4 * (accusing + misconduct)
        scores = {
            Purpose.APPEAL: _PRIOR + 0.6 * appeal,
            Purpose.ACCUSATION: accusation,
            Purpose.SUGGESTION: weigh(draft, "purpose.suggestion"),
            Purpose.CONSULT: weigh(draft, "purpose.consult"),
        }
        best = max(scores, key=lambda purpose: scores[purpose])
        if best is Purpose.APPEAL and appeal < _LEAST:
            self._plain(draft)
            return
        groups = {
            Purpose.APPEAL: ("purpose.appeal",),
            Purpose.ACCUSATION: ("purpose.accusation", "purpose.misconduct"),
            Purpose.SUGGESTION: ("purpose.suggestion",),
            Purpose.CONSULT: ("purpose.consult",),
        }[best]
        signal = strongest(draft, *groups)
        share = scores[best] / (sum(scores.values()) + 0.5)
        source = signal.source if signal else "content"
        span = (signal.start, signal.end) if signal else None
        draft.found("purpose", best, stage=NAME, source=source, confidence=min(0.95, share), span=span)

    def _plain(self, draft: Draft) -> None:
        """People often only tell what happened; that is an appeal more often than not, said with little confidence."""
        told = max((passage for passage in draft.passages), key=lambda passage: len(passage.text), default=None)
        if told is not None and len(told.text) >= _TELLS:
            draft.found("purpose", Purpose.APPEAL, stage=NAME, source=told.source, confidence=0.4)
        draft.note(NAME, "PURPOSE_UNCLEAR", "没有写明诉求,信访目的请人工确定。", "purpose")
