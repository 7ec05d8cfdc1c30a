"""Petitions for the tests of dispatch: the twelve samples as far as routing reads them, and how to enter one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from petition.arrival import Outcome
from petition.clock import SHANGHAI
from petition.people import Accused, Person
from petition.petition import Form, Lane, LegalPath, Petition, Purpose, Urgency
from petition.workflow import Status
from store.database import Store
from store.entry import Entry
from store.petitions import seal_record

MOMENT = datetime(2026, 11, 20, 9, 30, tzinfo=SHANGHAI)
PLAIN = Petition(
    case_no="620000W20261120000010",
    form=Form.WEB,
    raw_id="raw-1",
    petition_date=date(2026, 11, 20),
    received_at=MOMENT,
    registered_at=MOMENT,
    petitioners=(Person(name="张示例", address="兰州市城关区示例街道演示小区1号楼"),),
    title="反映演示小区物业公共收益不公开",
    content="物业超标准收费,请求退还。",
    purpose=Purpose.APPEAL,
    category="03.03",
    problem_region="620102",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One of the twelve. unit, co: kinds and places expected; status: where the case stands after delivery."""

    n: int
    form: Form
    region: str
    purpose: Purpose
    category: str
    title: str
    text: str
    address: str
    path: LegalPath | None = None
    urgency: Urgency = Urgency.NORMAL
    litigation: bool = False
    accused: tuple[Accused, ...] = ()
    unit: str
    co: frozenset[str] = frozenset()
    status: Status

    @property
    def petition(self) -> Petition:
        """The record as reading leaves it."""
        return replace(
            PLAIN,
            form=self.form,
            raw_id=f"sample-{self.n}",
            problem_region=self.region,
            purpose=self.purpose,
            category=self.category,
            title=self.title,
            content=self.text,
            petitioners=(Person(name="样本", address=self.address),) if self.address else (),
            legal_path=self.path,
            urgency=self.urgency,
            litigation_related=self.litigation,
            accused=self.accused,
            is_anonymous=not self.address,
        )


SAMPLES = (
    Sample(
        n=1, form=Form.WEB, region="620102", purpose=Purpose.APPEAL, category="03.03", path=LegalPath.P6,
        title="反映演示小区物业公共收益不公开并超标准收费",
        text="演示小区物业每平方米多收0.6元物业费,公共车位收益从未公示。",
        address="兰州市城关区示例街道演示小区1号楼", unit="620102-housing", status=Status.FORWARDED,
    ),
    Sample(
        n=2, form=Form.APP, region="620105", purpose=Purpose.SUGGESTION, category="10.01",
        title="建议在样例小学门口增设红绿灯", text="建议在样例小学路口增设信号灯,上放学时段安排疏导。",
        address="兰州市安宁区样例路2号", unit="620105-traffic", co=frozenset({"620105-education"}),
        status=Status.FORWARDED,
    ),
    Sample(
        n=3, form=Form.WECHAT, region="620902", purpose=Purpose.APPEAL, category="04.01", path=LegalPath.P5,
        title="18名务工人员反映虚构工地拖欠2026年7至9月工资",
        text="在肃州区虚构工地务工,被拖欠三个月工资共计约41万元。",
        address="酒泉市肃州区虚构工地宿舍", accused=(Accused(unit="甘肃虚构建筑有限公司"),),
        unit="620902-labour_inspection", status=Status.DIVERTED_STATUTORY,
    ),
    Sample(
        n=4, form=Form.KIOSK, region="620702", purpose=Purpose.APPEAL, category="01.04", path=LegalPath.P6,
        title="反映2025年度耕地补贴漏发", text="本户8.5亩承包地补贴未到账,村委会答复不一致,要求核查补发。",
        address="张掖市甘州区样本镇示例村三社", unit="620702199-township_government", status=Status.FORWARDED,
    ),
    Sample(
        n=5, form=Form.HOTLINE, region="620103", purpose=Purpose.APPEAL, category="03.07", urgency=Urgency.URGENT,
        title="来电反映供暖温度不达标", text="家中室温仅13度,有80岁老人,多次报修未果,要求当日处理并回电。",
        address="兰州市七里河区演示路5号院", unit="620103-urban_management", status=Status.FORWARDED,
    ),
    Sample(
        n=6, form=Form.SMS, region="621202", purpose=Purpose.APPEAL, category="02.05", urgency=Urgency.MAJOR,
        title="短信报告村后山体裂缝", text="村后山体出现裂缝并有落石,十余户受威胁,请求紧急派人查看。",
        address="陇南市武都区虚构乡样例村", unit="621202-emergency",
        co=frozenset(
            {"621202-natural_resources", "621202-government", "621202-xinfang", "621200-government", "621200-xinfang",
             "620000-xinfang"}
        ),
        status=Status.ASSIGNED,
    ),
    Sample(
        n=7, form=Form.EMAIL, region="620402", purpose=Purpose.APPEAL, category="08.01", path=LegalPath.P1,
        litigation=True, title="不服民事判决要求改判", text="对一起买卖合同纠纷的生效判决不服,要求信访部门纠正。",
        address="白银市白银区示例巷7号", unit="620402-political_legal", status=Status.DIVERTED_POLITICAL_LEGAL,
    ),
    Sample(
        n=8, form=Form.LETTER, region="621102", purpose=Purpose.ACCUSATION, category="16.01",
        title="匿名来信检举虚构村负责人虚报冒领", text="虚构村负责人套取项目资金。", address="",
        accused=(Accused(unit="虚构村", post="负责人"),), unit="621102-discipline", status=Status.DIVERTED_DISCIPLINE,
    ),
    Sample(
        n=9, form=Form.LETTER, region="622926", purpose=Purpose.APPEAL, category="13.05", path=LegalPath.P5,
        title="9人联名信反映养殖场粪污直排", text="样例乡一养殖场粪污直排水渠,影响灌溉和饮水,要求治理。",
        address="临夏州东乡族自治县样例乡", accused=(Accused(unit="样例乡一养殖场"),), unit="622926-ecology",
        co=frozenset({"622926-agriculture"}), status=Status.FORWARDED,
    ),
    Sample(
        n=10, form=Form.VISIT, region="620502", purpose=Purpose.APPEAL, category="02.01", path=LegalPath.P6,
        title="13人来访反映征地补偿标准不一致", text="同一项目两期补偿标准不同;推选5名代表接谈,其余候访。",
        address="天水市秦州区虚构村", unit="620502-government", co=frozenset({"620502-natural_resources"}),
        status=Status.FORWARDED,
    ),
    Sample(
        n=11, form=Form.VIDEO, region="623027", purpose=Purpose.APPEAL, category="03.02", path=LegalPath.P4,
        title="省州县三级视频接访:购房多年未办产权登记", text="购房六年未办产权登记,开发企业已停业。",
        address="甘南州夏河县样例镇", unit="623027-housing",
        co=frozenset({"623000-housing", "623027-natural_resources"}), status=Status.ASSIGNED,
    ),
    Sample(
        n=12, form=Form.WEB, region="620982", purpose=Purpose.APPEAL, category="07.01", path=LegalPath.P4,
        title="村级代理员代独居老人申请核查低保", text="86岁独居老人低保待遇被停发,要求复核。",
        address="酒泉市敦煌市示例镇样本村", unit="620982-civil_affairs", status=Status.DIVERTED_STATUTORY,
    ),
)  # fmt: skip


def enter(
    store: Store,
    petition: Petition = PLAIN,
    *,
    kind: str = "dispatch",
    payload: Mapping[str, Any] | None = None,
    lane: Lane = Lane.NORMAL,
    status: Status = Status.REGISTERED,
    outcome: Outcome = Outcome.PETITION,
) -> str:
    """Enter a petition with one order, the way the intake does; returns its case number."""
    uid = os.urandom(16)
    record = store.records.petition_to_json(replace(petition, case_no=""))
    entered = store.writer.write_now(
        Entry(
            channel="web",
            form=petition.form,
            region="620000",
            raw_id=f"{petition.raw_id}-{uid.hex()}",
            received_at=petition.received_at,
            digest=hashlib.sha256(uid).hexdigest(),
            size=1,
            media_type="text/plain",
            original=store.vault.seal(b"x", b"x"),
            outcome=outcome,
            uid=uid,
            record=seal_record(store.vault, record, uid),
            status=status,
            lane=lane.value,
            problem_region=petition.problem_region,
            category=petition.category,
            code_hash=b"0" * 32,
            orders=((kind, payload or {}),),
            read=True,
        )
    )
    return str(entered.case_no)
