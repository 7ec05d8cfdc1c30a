"""People (信访人): everybody named in a petition, and the role each one has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is to the petition (DOMAIN 3.1 `role`)."""

    SELF = "SELF"  # 本人
    REPRESENTATIVE = "REPRESENTATIVE"  # 代表, at most five (Regulation art. 20)
    COSIGNER = "COSIGNER"  # 联名人
    AGENT = "AGENT"  # 代理人
    PRINCIPAL = "PRINCIPAL"  # 被代理人


class Gender(StrEnum):
    """性别; empty beats wrong."""

    MALE = "MALE"
    FEMALE = "FEMALE"


class IdType(StrEnum):
    """证件类别 (DOMAIN 3.2)."""

    RESIDENT_ID = "RESIDENT_ID"  # 居民身份证
    HOUSEHOLD = "HOUSEHOLD"  # 户口簿
    PASSPORT = "PASSPORT"  # 护照
    FOREIGN_PERMANENT = "FOREIGN_PERMANENT"  # 外国人永久居留身份证
    HK_MACAO_PERMIT = "HK_MACAO_PERMIT"  # 港澳居民来往内地通行证
    TAIWAN_PERMIT = "TAIWAN_PERMIT"  # 台湾居民来往大陆通行证
    HMT_RESIDENCE = "HMT_RESIDENCE"  # 港澳台居民居住证
    OFFICER_CARD = "OFFICER_CARD"  # 军官证
    USCC = "USCC"  # 社会信用代码证
    OTHER = "OTHER"  # 其他


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One petitioner, representative, co-signer, agent or principal. Empty string means not given.

    id_no: as normalised by `petition.identity` (half-width, upper case); mobile: E.164 (+86...);
    region_code: 6 to 12 digits of GB/T 2260 and the statistics bureau, the residence, not the problem place.
    """

    role: Role = Role.SELF
    name: str = ""
    gender: Gender | None = None
    id_type: IdType | None = None
    id_no: str = ""
    mobile: str = ""
    landline: str = ""
    email: str = ""
    address: str = ""
    region_code: str = ""
    ethnicity: str = ""
    language: str = ""
    assist_need: str = ""
    org_name: str = ""
    uscc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accused:
    """Who is complained about (被反映人/单位). Never receives the petition (Regulation art. 30)."""

    name: str = ""
    unit: str = ""
    post: str = ""
    rank: str = ""
