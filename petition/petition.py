"""The case (信访事项): petition/1, the one format every channel ends in (DOMAIN 3.1-3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from petition.attachment import Attachment
from petition.people import Accused, Person


class Form(StrEnum):
    """信访形式 (DOMAIN 3.2). Proxy (代理) is a role of people, not a form."""

    WEB = "WEB"
    APP = "APP"
    WECHAT = "WECHAT"
    KIOSK = "KIOSK"
    EMAIL = "EMAIL"
    SMS = "SMS"
    PHONE = "PHONE"
    HOTLINE = "HOTLINE"
    LETTER = "LETTER"
    FAX = "FAX"
    VISIT = "VISIT"
    VIDEO = "VIDEO"
    LEADER_BOX = "LEADER_BOX"
    GRID = "GRID"


class Purpose(StrEnum):
    """信访目的: the statutory three (Regulation arts. 29-31) and consultation."""

    SUGGESTION = "SUGGESTION"  # 建议意见
    ACCUSATION = "ACCUSATION"  # 检举控告
    APPEAL = "APPEAL"  # 申诉求决
    CONSULT = "CONSULT"  # 咨询


class Urgency(StrEnum):
    """紧急程度 (Regulation art. 25)."""

    NORMAL = "NORMAL"
    URGENT = "URGENT"
    MAJOR = "MAJOR"


class LegalPath(StrEnum):
    """法定途径: the six ways of Regulation art. 31."""

    P1 = "P1"  # litigation 诉讼
    P2 = "P2"  # arbitration 仲裁
    P3 = "P3"  # party-member appeal 党员申诉
    P4 = "P4"  # administrative reconsideration, ruling, licence, penalty 行政复议等
    P5 = "P5"  # duty to investigate or protect 履职申请
    P6 = "P6"  # everything else: a petition opinion 信访处理意见


class LitigationStage(StrEnum):
    """涉法涉诉阶段."""

    COURT = "COURT"
    PROCURATORATE = "PROCURATORATE"
    POLICE = "POLICE"
    JUDICIAL = "JUDICIAL"


class DispatchType(StrEnum):
    """办理方式 (DOMAIN 3.2)."""

    FORWARD = "FORWARD"  # 转送
    ASSIGN = "ASSIGN"  # 交办
    SELF = "SELF"  # 自办
    DIVERT_PL = "DIVERT_PL"  # 转政法
    DIVERT_DISCIPLINE = "DIVERT_DISCIPLINE"  # 转纪检监察
    DIVERT_STATUTORY = "DIVERT_STATUTORY"  # 导入法定程序
    INFORM = "INFORM"  # 告知
    HOTLINE_RETURN = "HOTLINE_RETURN"  # 转热线
    ATTACH = "ATTACH"  # 并案


class Lane(StrEnum):
    """Who may see it (办理通道): the sealed lane holds accusations and whatever asks for secrecy."""

    NORMAL = "normal"
    SEALED = "sealed"


class RelatedKind(StrEnum):
    """判重结论: the same person and matter, or others with the same matter."""

    LINK = "LINK"
    JOINT = "JOINT"


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryProposal:
    """One suggested content class (内容分类建议); score in 0..1."""

    code: str
    name: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A proposed link to another case (判重提示), with the reason in words."""

    case_no: str
    kind: RelatedKind
    score: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a value came from (依据).

    stage: name of the stage; source: `stated` (the sender said so), `title`, `content`, `id_no`, ... ;
    confidence in 0..1; span: [start, end) in the source text, or None.
    """

    stage: str
    source: str
    confidence: float
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A remark a stage or an officer leaves (批注); code is stable, words are Chinese."""

    stage: str
    code: str
    words: str
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One step of the way of the case (流转轨迹)."""

    at: datetime
    unit: str
    dispatch_type: DispatchType | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Petition:
    """One petition matter (信访事项) in the format petition/1. Times are aware, Asia/Shanghai."""

    schema: Literal["petition/1"] = "petition/1"
    case_no: str
    form: Form
    source: str = "本级"
    sub_source: str = ""
    raw_id: str
    petition_date: date
    received_at: datetime
    registered_at: datetime | None = None
    petitioners: tuple[Person, ...] = ()
    headcount: int = 1
    is_group: bool = False
    is_joint_letter: bool = False
    is_anonymous: bool = False
    title: str = ""
    summary: str = ""
    content: str = ""
    main_facts: str = ""
    requests: tuple[str, ...] = ()
    purpose: Purpose | None = None
    purpose_label: str = ""
    category: str = ""
    category_proposals: tuple[CategoryProposal, ...] = ()
    problem_region: str = ""
    accused: tuple[Accused, ...] = ()
    occur_time: str = ""
    occur_place: str = ""
    amounts: tuple[float, ...] = ()
    dates: tuple[date, ...] = ()
    is_public: bool = False
    publication_decided: bool | None = None
    confidential: bool = False
    litigation_related: bool = False
    litigation_stage: LitigationStage | None = None
    legal_path: LegalPath | None = None
    is_repeat: bool = False
    is_first: bool = True
    first_case_no: str = ""
    repeat_count: int = 0
    related: tuple[Related, ...] = ()
    is_skip_level: bool = False
    urgency: Urgency = Urgency.NORMAL
    hot_topics: tuple[str, ...] = ()
    simplified: bool | None = None
    lead_unit: str = ""
    co_units: tuple[str, ...] = ()
    path: tuple[Hop, ...] = ()
    dispatch_type: DispatchType | None = None
    opinion_outcome: Literal["SUPPORT", "EXPLAIN", "NOT_SUPPORT"] | None = None
    fact_degree: Literal["TRUE", "PARTLY", "FALSE"] | None = None
    resolved: bool | None = None
    rating_bureau: int | None = None
    rating_unit: int | None = None
    attachments: tuple[Attachment, ...] = ()
    privacy_notice_version: str = ""
    face_consent: bool | None = None
    record_consent: bool | None = None
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
