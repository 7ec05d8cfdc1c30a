"""The samples (样例来件): twelve fictional petitions, one or more for every channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, with_config

from petition.attachment import AttachmentRole
from petition.people import Gender, Role
from petition.petition import Form, Purpose

_STRICT = ConfigDict(extra="forbid")


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePerson:
    """Somebody who does not exist: ID area 620199 and mobiles 154... belong to nobody."""

    role: Role
    name: str
    gender: Gender | None = None
    id_no: str = ""
    mobile: str = ""
    address: str = ""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFile:
    """A piece of evidence that is made when it is needed; see `gateway.demo.papers`."""

    name: str
    kind: Literal["png", "pdf", "txt"]
    role: AttachmentRole = AttachmentRole.EVIDENCE


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One petition. channel: the door it comes by; via: how the web form was opened; manner: for whom it is filed;

    content: in the petitioner's words; spoken: what is said aloud, for channels with a voice; occur_time: year, month,
    day as far as known; expect: what the law makes of it.
    """

    n: int
    form: Form
    channel: str
    via: str = ""
    manner: Literal["self", "agent", "joint", "anonymous"]
    people: tuple[SamplePerson, ...]
    headcount: int
    region: str
    region_name: str
    purpose: Purpose
    category: str
    title: str
    summary: str
    content: str
    spoken: str = ""
    requests: tuple[str, ...]
    occur_place: str = ""
    occur_time: tuple[str, ...] = ()
    is_public: bool = False
    files: tuple[SampleFile, ...] = ()
    flags: str
    expect: str


@with_config(_STRICT)
@dataclass(frozen=True, slots=True)
class _Organisation:
    name: str
    uscc: str


@with_config(_STRICT)
@dataclass(frozen=True, slots=True)
class _Samples:
    note: str
    cases: tuple[Sample, ...]
    orgs: tuple[_Organisation, ...]


def load_samples() -> Sequence[Sample]:
    """The twelve, in their order."""
    body = files("gateway").joinpath("data", "samples.json").read_bytes()
    return TypeAdapter(_Samples).validate_json(body).cases


def load_calls() -> Sequence[Sample]:
    """What is told by word of mouth, as calls to the office's own telephone: further samples after the twelve."""
    told = [sample for sample in load_samples() if sample.spoken and sample.form is Form.HOTLINE]
    return tuple(
        replace(sample, n=place, form=Form.PHONE, channel="voice", title=f"电话：{sample.title}")
        for place, sample in enumerate(told, start=len(load_samples()) + 1)
    )
