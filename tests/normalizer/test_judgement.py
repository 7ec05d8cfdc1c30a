"""Purpose, category, urgency, legal path and remit: what the words of a petition make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from normalizer.draft import Draft
from petition.petition import Form, Lane, LegalPath, LitigationStage, Purpose, Urgency

Read = Callable[..., Draft]


def codes(draft: Draft) -> set[str]:
    """The codes of all notes."""
    return {note.code for note in draft.notes}


PURPOSES = [
    ("举报某养殖场半夜偷排粪水,请查处", Purpose.APPEAL),
    ("举报示例镇副镇长收受红包", Purpose.ACCUSATION),
    ("村会计虚列开支,请上级查一查", Purpose.ACCUSATION),
    ("请问补缴社保需要什么材料", Purpose.CONSULT),
    ("建议在路口增设路灯", Purpose.SUGGESTION),
    ("建议纪委查一查村支书贪污的事", Purpose.ACCUSATION),
    ("房子漏水没人管,要求赔偿", Purpose.APPEAL),
    ("昨天下午在示例街上看见一只很大的黄狗没有拴绳子", Purpose.APPEAL),
    ("您好", None),
]


@pytest.mark.parametrize(("content", "purpose"), PURPOSES)
def test_purposes(read: Read, content: str, purpose: Purpose | None) -> None:
    assert read(content=content).purpose is purpose


def test_a_plain_tale_is_an_appeal_with_little_confidence(read: Read) -> None:
    draft = read(content="昨天下午在示例街上看见一只很大的黄狗没有拴绳子")
    assert draft.evidence["purpose"].confidence == 0.4
    assert "PURPOSE_UNCLEAR" in codes(draft)
    assert draft.purpose_label == "申诉求决"


def test_category_scores_are_shares(read: Read) -> None:
    draft = read(content="物业公司不公开公共收益,物业费涨价,小区电梯坏了")
    scores = [row.score for row in draft.category_proposals]
    assert draft.category_proposals[0].code == "03.03"
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) <= 1
    assert len(scores) <= 3
    assert draft.category_proposals[0].name == "城乡建设/物业管理"


def test_a_faint_hint_is_proposed_but_not_filled_in(read: Read) -> None:
    draft = read(content="昨天下午在示例街上看见一只很大的黄狗")
    assert draft.category == ""
    assert "CATEGORY_UNCLEAR" in codes(draft)


STATED = [("物业管理", "03.03"), ("城乡建设/物业管理", "03.03"), ("03", "03")]


@pytest.mark.parametrize(("said", "code"), STATED)
def test_a_stated_class_may_be_named(read: Read, said: str, code: str) -> None:
    assert read(content="欠薪", category=said).category == code


def test_an_unknown_stated_class_is_a_problem(read: Read) -> None:
    draft = read(content="拖欠农民工工资三个月", category="88.88")
    assert draft.category == "04.01"
    assert "CATEGORY_UNKNOWN" in {problem.code for problem in draft.problems}


URGENCIES = [
    ("楼后边坡塌方了,还在往下掉土,人不敢住", Urgency.MAJOR),
    ("煤气味很大,正在泄漏,快派人来", Urgency.MAJOR),
    ("再不给钱我就从楼顶跳下去", Urgency.MAJOR),
    ("明天大家准备去堵路,围堵大门", Urgency.MAJOR),
    ("暖气坏了,家里有婴儿,室温九度,请当天处理", Urgency.URGENT),
    ("院墙要塌了", Urgency.URGENT),
    ("2013年泥石流灾后的安置房补偿没给", Urgency.NORMAL),
    ("幸好没有人员伤亡,房子漏水", Urgency.NORMAL),
    ("建议加强山洪、滑坡的宣传和演练", Urgency.NORMAL),
    ("物业费涨价不合理", Urgency.NORMAL),
    ("我不会自杀,只要一个说法", Urgency.NORMAL),
]


@pytest.mark.parametrize(("content", "urgency"), URGENCIES)
def test_urgencies(read: Read, content: str, urgency: Urgency) -> None:
    assert read(content=content).urgency is urgency


LITIGATION = [
    ("不服二审判决,要求再审", LitigationStage.COURT, LegalPath.P1),
    ("检察院作出不起诉决定,我不服", LitigationStage.PROCURATORATE, LegalPath.P1),
    ("报案半年派出所不予立案,没有说法,请求解决", LitigationStage.POLICE, LegalPath.P1),
    ("家属在监狱服刑,减刑材料没有上报,请求解决", LitigationStage.JUDICIAL, LegalPath.P1),
    ("法院门口的路坏了,要求修好", None, LegalPath.P6),
    ("准备起诉开发商,请先协调解决", None, LegalPath.P6),
    ("建议法院增设自助立案机", None, None),
]


@pytest.mark.parametrize(("content", "stage", "path"), LITIGATION)
def test_litigation(read: Read, content: str, stage: LitigationStage | None, path: LegalPath | None) -> None:
    draft = read(content=content)
    assert (draft.litigation_related, draft.litigation_stage, draft.legal_path) == (stage is not None, stage, path)
    assert ("REMIT_LITIGATION" in codes(draft)) is (stage is not None)


PATHS = [
    ("公司违法解除劳动合同,不给经济补偿金,要求处理", LegalPath.P2),
    ("不服党内严重警告的党纪处分,要求复核", LegalPath.P3),
    ("不服行政处罚决定,罚款两千元,要求撤销", LegalPath.P4),
    ("砂场无证开采,非法采砂,请查处", LegalPath.P5),
    ("楼道灯坏了没人管,要求修好", LegalPath.P6),
]


@pytest.mark.parametrize(("content", "path"), PATHS)
def test_paths(read: Read, content: str, path: LegalPath) -> None:
    draft = read(content=content)
    assert draft.legal_path is path
    assert any(note.code == "LEGAL_PATH" and "理由" in note.words for note in draft.notes)


REMIT: list[tuple[str, str, dict[str, Any], bool]] = [
    ("REMIT_CONCLUDED", "这件事三级终结了,我还是不服", {}, True),
    ("REMIT_REVIEW", "对答复不服,申请复查", {}, True),
    ("REMIT_PENDING", "县里已给我受理告知书,正在办理中", {}, True),
    ("REMIT_CONSULT", "请问怎么办理居住证", {}, True),
    ("REMIT_LEVEL", "榆中县的路坏了,要求修", {"form": Form.VISIT}, True),
    ("REMIT_LEVEL", "榆中县的路坏了,要求修", {"form": Form.WEB}, False),
    ("REMIT_LEVEL", "兰州市的路坏了,要求修", {"form": Form.VISIT}, False),
    ("REMIT_ELSEWHERE", "榆中县的路坏了,要求修", {}, False),
    ("REMIT_ACCUSATION_PART", "要求支付拖欠的工资,至今没拿到,干部截留贪污", {"purpose": Purpose.APPEAL}, True),
]


@pytest.mark.parametrize(("code", "content", "said", "expected"), REMIT)
def test_remit(read: Read, code: str, content: str, said: dict[str, Any], expected: bool) -> None:
    assert (code in codes(read(content=content, **said))) is expected


def test_accusations_are_sealed(read: Read) -> None:
    draft = read(content="举报示例镇财政所所长王某挪用公款,请保密。")
    assert (draft.lane, draft.confidential) == (Lane.SEALED, True)
    assert (draft.accused[0].unit, draft.accused[0].post) == ("示例镇财政所", "所长")
    assert draft.evidence["accused"].confidence == 0.4


def test_the_sealed_lane_does_not_depend_on_a_ticked_box(read: Read) -> None:
    said = read(content="举报示例镇所长挪用公款", confidential=False)
    assert (said.lane, said.confidential) == (Lane.SEALED, False)
    asked = read(content="楼道灯坏了没人管", confidential=True)
    assert asked.lane is Lane.SEALED


def test_unknown_accused_are_pointed_out(read: Read) -> None:
    assert "ACCUSED_UNKNOWN" in codes(read(content="有人贪污受贿,我要检举"))
