"""Legal path (法定途径): is it a matter of litigation, and which of the six ways of Regulation art. 31 fits."""

from __future__ import annotations

from config.words import Words
from normalizer.draft import Draft
from normalizer.stages.purpose import strongest, weigh
from petition.petition import LegalPath, LitigationStage, Purpose

NAME = "legal_path"
WAYS = {
    LegalPath.P1: "诉讼或司法机关的法定程序",
    LegalPath.P2: "仲裁",
    LegalPath.P3: "党员申诉或申请复审",
    LegalPath.P4: "行政复议、裁决、确认、许可、处罚等行政程序",
    LegalPath.P5: "申请查处违法行为或者履行保护职责",
    LegalPath.P6: "信访处理程序,出具处理意见书",
}
STAGES = {
    LitigationStage.COURT: ("litigation.court", "法院"),
    LitigationStage.PROCURATORATE: ("litigation.procuratorate", "检察院"),
    LitigationStage.POLICE: ("litigation.police", "公安机关"),
    LitigationStage.JUDICIAL: ("litigation.judicial", "司法行政机关"),
}
_LITIGATION = 3.0  # two strong words or one that leaves no doubt
_PATH = 2.0


class LegalPathStage:
    """Suggests `litigation_related`, `litigation_stage` and `legal_path`, each with its reason as a note."""

    name = NAME

    def __init__(self, words: Words) -> None:
        self._paths = {code: LegalPath(path) for code, path in words.paths.items()}

    def __call__(self, draft: Draft) -> None:
        """Suggestions, accusations and consultations have no path of article 31."""
        if draft.purpose is not Purpose.SUGGESTION and draft.purpose is not Purpose.CONSULT:
            self._litigation(draft)
        if draft.purpose is Purpose.APPEAL or draft.litigation_related:
            self._path(draft)

    def _litigation(self, draft: Draft) -> None:
        scores = {stage: weigh(draft, group) for stage, (group, _) in STAGES.items()}
        stage = max(scores, key=lambda key: scores[key])
        group, organ = STAGES[stage]
        sure = scores[stage] - weigh(draft, "litigation.outside")
        best = strongest(draft, group)
        if sure < _LITIGATION or best is None:
            return
        confidence, span = min(0.9, 0.4 + 0.08 * sure), (best.start, best.end)
        draft.found("litigation_related", True, stage=NAME, source=best.source, confidence=confidence, span=span)
        draft.found("litigation_stage", stage, stage=NAME, source=best.source, confidence=confidence, span=span)
        words = f"提到“{best.word}”等,像是涉法涉诉事项({organ}),请核对后按诉访分离办理。"
        draft.note(NAME, "LITIGATION", words, "litigation_related")

    def _path(self, draft: Draft) -> None:
        if draft.litigation_related:
            known = draft.evidence.get("litigation_related")
            sure = known.confidence if known else 0.5
            self._suggest(draft, LegalPath.P1, "涉法涉诉", sure)
            return
        scores = {path: weigh(draft, f"legal_path.{path}") for path in (*LegalPath,)[1:5]}
        usual = self._usual(draft.category)
        if usual is LegalPath.P1 and not draft.stated("category"):
            usual = None  # a guessed class is no lawsuit; the words of litigation were not enough
        if usual in scores:
            scores[usual] += 1.5  # words lead, the class of the content decides between near ones
        ranked = sorted(scores, key=lambda path: -scores[path])
        first, second = ranked[0], ranked[1]
        if scores[first] >= _PATH and scores[first] >= 1.2 * scores[second]:
            signal = strongest(draft, f"legal_path.{first}")
            reason = f"提到“{signal.word}”" if signal else "内容分类"
            self._suggest(draft, first, reason, 0.6)
        elif usual is not None:
            self._suggest(draft, usual, "这类事项通常如此", 0.45)
        else:
            self._suggest(draft, LegalPath.P6, "没有看出其他法定途径", 0.4)

    def _usual(self, category: str) -> LegalPath | None:
        while category:
            if category in self._paths:
                return self._paths[category]
            category = category.rpartition(".")[0]
        return None

    def _suggest(self, draft: Draft, path: LegalPath, reason: str, confidence: float) -> None:
        if draft.found("legal_path", path, stage=NAME, source="content", confidence=confidence):
            draft.note(NAME, "LEGAL_PATH", f"建议途径:{WAYS[path]}(理由:{reason})。", "legal_path")
