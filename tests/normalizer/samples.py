"""The twelve fictional sample petitions as a door would state them, with what the reading must make of each."""

from __future__ import annotations

from dataclasses import dataclass, field

from petition.people import Person
from petition.petition import Form, LegalPath, Purpose, Urgency


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample. flags: the boolean fields of petition/1 that must be true; notes: codes that must stand there."""

    form: Form
    person: Person | None
    title: str
    content: str
    request: str
    region: str
    category: str
    purpose: Purpose = Purpose.APPEAL
    urgency: Urgency = Urgency.NORMAL
    path: LegalPath | None = LegalPath.P6
    headcount: int = 1
    flags: frozenset[str] = frozenset()
    notes: frozenset[str] = field(default_factory=frozenset)


def _person(name: str, id_no: str, last: str, address: str) -> Person:
    return Person(name=name, id_no=id_no, mobile=f"154000000{last}" if last else "", address=address)


SAMPLES = (
    Sample(
        form=Form.WEB,
        person=_person("张示例", "620199198503120012", "01", "兰州市城关区示例街道演示小区1号楼"),
        title="反映演示小区物业公共收益不公开并超标准收费",
        content="信访人称演示小区物业自2026年1月起按每平方米多收0.6元物业费,公共车位收益从未公示,要求公开账目并退还多收费用。",
        request="公开公共收益;退还多收物业费",
        region="620102",
        category="03.03",
    ),
    Sample(
        form=Form.APP,
        person=_person("李演示", "620199199007260029", "02", "兰州市安宁区样例路2号"),
        title="建议在样例小学门口增设红绿灯",
        content="信访人建议在安宁区样例小学路口增设信号灯,上放学时段安排疏导并施划等候区。",
        request="论证增设信号灯",
        region="620105",
        category="10.01",
        purpose=Purpose.SUGGESTION,
        path=None,
    ),
    Sample(
        form=Form.WECHAT,
        person=_person("王样本", "620199198811050036", "03", "酒泉市肃州区虚构工地宿舍"),
        title="18名务工人员反映虚构工地拖欠2026年7至9月工资",
        content="王样本等18人称在肃州区虚构工地务工,被拖欠三个月工资共计约41万元,已留存考勤表,要求支付。",
        request="支付拖欠工资",
        region="620902",
        category="04.01",
        path=LegalPath.P5,
        headcount=18,
        flags=frozenset({"is_group"}),
    ),
    Sample(
        form=Form.KIOSK,
        person=_person("赵虚构", "620199197904180054", "04", "张掖市甘州区样本镇示例村三社"),
        title="反映2025年度耕地补贴漏发",
        content="信访人在接待大厅自助区扫码提交,称本户8.5亩承包地补贴未到账,村委会答复不一致,要求核查补发。",
        request="核查并补发补贴",
        region="620702",
        category="01.04",
    ),
    Sample(
        form=Form.HOTLINE,
        person=_person("陈模拟", "620199196312300046", "05", "兰州市七里河区演示路5号院"),
        title="来电反映供暖温度不达标",
        content="12345转来工单:来电人称家中室温仅13度,有80岁老人,多次报修未果,要求当日处理并回电。",
        request="恢复正常供暖",
        region="620103",
        category="03.07",
        urgency=Urgency.URGENT,
    ),
    Sample(
        form=Form.SMS,
        person=_person("刘范例", "620199199509140078", "06", "陇南市武都区虚构乡样例村"),
        title="短信报告村后山体裂缝",
        content="短信称村后山体出现裂缝并有落石,十余户受威胁,请求紧急派人查看;坐席回电补全姓名、地址。",
        request="紧急排险",
        region="621202",
        category="02.05",
        urgency=Urgency.MAJOR,
        notes=frozenset({"HEADCOUNT_VAGUE", "REMIT_EMERGENCY"}),
    ),
    Sample(
        form=Form.EMAIL,
        person=_person("杨假名", "620199197206080099", "07", "白银市白银区示例巷7号"),
        title="不服民事判决要求改判",
        content="电子邮件称对一起买卖合同纠纷的生效判决不服,附判决书扫描件,要求信访部门纠正。",
        request="改判",
        region="620402",
        category="08.01",
        path=LegalPath.P1,
        flags=frozenset({"litigation_related"}),
        notes=frozenset({"REMIT_LITIGATION"}),
    ),
    Sample(
        form=Form.LETTER,
        person=None,
        title="匿名来信检举虚构村负责人虚报冒领",
        content="邮戳为定西,信中称虚构村负责人套取项目资金,附手写明细一页;未留联系方式。",
        request="查处",
        region="621100",  # the postmark tells the city; no word of the letter tells the county 621102
        category="16.01",
        purpose=Purpose.ACCUSATION,
        path=None,
        flags=frozenset({"is_anonymous", "confidential"}),
        notes=frozenset({"REMIT_DISCIPLINE"}),
    ),
    Sample(
        form=Form.LETTER,
        person=_person("马测试", "620199198102220119", "09", "临夏州东乡族自治县样例乡"),
        title="9人联名信反映养殖场粪污直排",
        content="马测试等9名村民联名,称样例乡一养殖场粪污直排水渠,影响灌溉和饮水,要求治理。",
        request="治理污染",
        region="622926",
        category="13.05",
        path=LegalPath.P5,
        headcount=9,
        flags=frozenset({"is_joint_letter"}),
    ),
    Sample(
        form=Form.VISIT,
        person=_person("周试用", "620199197605170067", "10", "天水市秦州区虚构村"),
        title="13人来访反映征地补偿标准不一致",
        content="13人到市信访接待场所走访,称同一项目两期补偿标准不同;推选5名代表接谈,其余候访。",
        request="说明标准并补差",
        region="620502",
        category="02.01",
        headcount=13,
        flags=frozenset({"is_group"}),
    ),
    Sample(
        form=Form.VIDEO,
        person=_person("卓玛示例", "62019919930611008X", "11", "甘南州夏河县样例镇"),
        title="省州县三级视频接访:购房多年未办产权登记",
        content="信访人在夏河县接访室参加视频接访,省、州、县三级同屏,配藏语翻译;称购房六年未办产权登记,开发企业已停业。",
        request="办理产权登记",
        region="623027",
        category="03.02",
        path=LegalPath.P4,
        notes=frozenset({"LANGUAGE_HINT"}),
    ),
    Sample(
        form=Form.KIOSK,
        person=_person("吴样例(被代理人)", "620199194010190102", "", "酒泉市敦煌市示例镇样本村"),
        title="村级代理员代独居老人申请核查低保",
        content=(
            "86岁独居老人不会使用手机,委托村信访代理员钱代理(15400000012,身份证620199198704040158)提交,"
            "附委托书;称低保待遇被停发,要求复核。"
        ),
        request="恢复低保",
        region="620982",
        category="07.01",
        path=LegalPath.P4,
        notes=frozenset({"AGENT_FOUND", "ASSIST_ELDERLY", "ASSIST_HINT"}),
    ),
)
