"""Remit (受理范围): is it for this office and level, and must it be sealed (Regulation arts. 19-22, 28, 30, 35, 36)."""

from __future__ import annotations

import re

from config.regions import Level, Regions, contains, level_of, significant
from normalizer.draft import Draft
from normalizer.stages.purpose import weigh
from petition.people import Accused
from petition.petition import Form, Lane, Purpose, Urgency

NAME = "remit"
_PHRASE = 2.0
_ACCUSED = re.compile(
    r"(?:检举|举报|控告|揭发|反映|状告|举报信[:：])(?:的是|的)?(?P<unit>[^\s,，。;；:：、的]{2,20}?)(?:的)?"
    r"(?P<post>(?:原|现任)?(?:村党支部书记|党支部书记|党委书记|村支书|支书|村主任|村委会主任|村书记|副局长|局长|副镇长|镇长|副乡长|乡长|"
    r"书记|主任|科长|股长|所长|站长|校长|院长|负责人|会计|村干部|工作人员))"
)


class RemitStage:
    """Leaves notes for the officer who decides; for accusations it seals the lane. office: the office's region code."""

    name = NAME

    def __init__(self, regions: Regions, office: str) -> None:
        self._regions = regions
        self._office = office

    def __call__(self, draft: Draft) -> None:
        """Secrecy first, then where the matter belongs."""
        self._secrecy(draft)
        self._procedure(draft)
        self._place(draft)

    def _secrecy(self, draft: Draft) -> None:
        if draft.purpose is Purpose.ACCUSATION:
            known = draft.evidence.get("purpose")
            draft.found(
                "confidential", True, stage=NAME, source="purpose", confidence=known.confidence if known else 0.5
            )
            draft.lane = Lane.SEALED
            words = "检举控告材料按信访工作条例第三十条保密,不得透露或转给被反映的人或单位;属纪检监察范围的转有权机关。"
            draft.note(NAME, "REMIT_DISCIPLINE", words, "confidential")
            self._accused(draft)
        elif weigh(draft, "purpose.misconduct") >= _PHRASE and weigh(draft, "purpose.office") > 0:
            words = "诉求之外还提到公职或村组人员的违纪线索,请考虑分开登记、保密办理。"
            draft.note(NAME, "REMIT_ACCUSATION_PART", words, "purpose")
        if draft.confidential:
            draft.lane = Lane.SEALED

    def _accused(self, draft: Draft) -> None:
        if draft.accused:
            return
        for source, text in draft.passages:
            match = _ACCUSED.search(text[:2000])
            if match:
                who = (Accused(unit=match["unit"], post=match["post"]),)
                span = (match.start("unit"), match.end())
                draft.found("accused", who, stage=NAME, source=source, confidence=0.4, span=span)
                return
        draft.note(NAME, "ACCUSED_UNKNOWN", "没有看出被反映的人或单位,分送前请先查明,以免误转。", "accused")

    def _procedure(self, draft: Draft) -> None:
        if draft.litigation_related:
            words = "涉法涉诉事项:来信转同级政法部门,来访引导到政法部门(条例第二十二、二十八条)。"
            draft.note(NAME, "REMIT_LITIGATION", words, "litigation_related")
        if weigh(draft, "remit.concluded") >= _PHRASE:
            words = "来件提到已有复核意见或三级终结,请查实;属实的不再受理(条例第三十六条)。"
            draft.note(NAME, "REMIT_CONCLUDED", words)
        elif weigh(draft, "remit.review") >= _PHRASE:
            words = "来件像是对处理意见不服,请告知复查、复核的途径和期限(条例第三十五、三十六条)。"
            draft.note(NAME, "REMIT_REVIEW", words)
        elif weigh(draft, "remit.pending") >= _PHRASE:
            words = "来件提到有关单位已受理、正在办理,期限内上级不重复受理(条例第十九条),请核对。"
            draft.note(NAME, "REMIT_PENDING", words)
        if draft.urgency is Urgency.MAJOR:
            words = "正在发生的警情、火情、伤病请同时拨打110、119、120,信访登记不代替报警。"
            draft.note(NAME, "REMIT_EMERGENCY", words, "urgency")
        if draft.purpose is Purpose.CONSULT:
            draft.note(NAME, "REMIT_CONSULT", "咨询类,能当场答复的当场答复。", "purpose")

    def _place(self, draft: Draft) -> None:
        place = draft.problem_region
        if not place:
            return
        name = self._regions.full_name(place)
        if not contains(self._office, place) and not contains(place, self._office):
            draft.note(NAME, "REMIT_ELSEWHERE", f"问题属地是{name},不在本级辖区,请告知向何处提出。", "problem_region")
            return
        steps = level_of(place) - level_of(self._office)
        if draft.form is Form.VISIT and steps >= 2 and significant(place) != significant(self._office):
            allowed = self._regions.parents(place)
            above = next((region.name for region in reversed(allowed) if region.level < Level.COUNTY), "")
            words = f"走访应到有权处理的本级或上一级(条例第二十条);本件属地是{name}"
            words += f",一般到{above}为止,请核对是否越级,仍须登记。" if above else ",请核对是否越级,仍须登记。"
            draft.note(NAME, "REMIT_LEVEL", words, "problem_region")
