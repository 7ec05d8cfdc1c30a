"""Earlier cases (在先信访件): what the repeats stage asks the memory for, and its null twin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from petition.identity import normal_name
from petition.people import Accused, Person, Role
from petition.petition import Form, Petition


class Standing(StrEnum):
    """How far the earlier case has come."""

    OPEN = "open"  # 正在受理、办理期限内
    CONCLUDED = "concluded"  # 已办结
    TERMINATED = "terminated"  # 三级终结, Regulation art. 36


class PersonKey(NamedTuple):
    """An exact look-up key. kind: id_no, mobile, landline, email, uscc, name (with county) or accused.

    value is plain; the memory turns it into its keyed blind index and never stores it as it is.
    """

    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierCase:
    """As much of an earlier case as the comparison needs."""

    case_no: str
    text: str
    category: str = ""
    region: str = ""
    keys: frozenset[PersonKey] = frozenset()
    first_case_no: str = ""
    repeat_count: int = 0
    standing: Standing = Standing.OPEN
    event: tuple[Form, str] | None = None  # form and raw_id: by these a case knows itself when it is read again

    @classmethod
    def of(cls, petition: Petition, standing: Standing) -> EarlierCase:
        """The view of a stored petition."""
        return cls(
            case_no=petition.case_no,
            text="\n".join((petition.title, petition.content or petition.summary, *petition.requests)),
            category=petition.category,
            region=petition.problem_region,
            keys=frozenset(keys_of(petition.petitioners, petition.accused, petition.problem_region)),
            first_case_no=petition.first_case_no,
            repeat_count=petition.repeat_count,
            standing=standing,
            event=(petition.form, petition.raw_id),
        )


class Candidates(Protocol):
    """The way to earlier cases. Called from a worker thread; may read the database; raises PetitionError only."""

    def by_people(self, keys: Sequence[PersonKey]) -> Iterable[EarlierCase]:
        """Cases that share at least one key, newest first, a bounded number."""
        ...

    def by_region(self, region: str, limit: int) -> Iterable[EarlierCase]:
        """The newest cases whose problem lies in this county (six digits), at most `limit`."""
        ...


class NoCandidates:
    """The null twin: a house without memory."""

    def by_people(self, keys: Sequence[PersonKey]) -> Iterable[EarlierCase]:
        """Nothing is known."""
        return ()

    def by_region(self, region: str, limit: int) -> Iterable[EarlierCase]:
        """Nothing is known."""
        return ()


def keys_of(people: Sequence[Person], accused: Sequence[Accused], region: str) -> tuple[PersonKey, ...]:
    """The keys of everybody whose matter it is; an agent counts only where no principal is named (DOMAIN 3.6).

    A village agent files for many neighbours: his own number must not tie their cases together.
    """
    principals = any(person.role is Role.PRINCIPAL for person in people)
    found: dict[PersonKey, None] = {}
    for person in people:
        if principals and person.role is Role.AGENT:
            continue
        for kind in ("id_no", "mobile", "landline", "email", "uscc"):
            value = getattr(person, kind)
            if value:
                found[PersonKey(kind, value)] = None
        county = (person.region_code or region)[:6]
        if person.name and county:
            found[PersonKey("name", f"{normal_name(person.name)}|{county}")] = None
    for party in accused:
        who = "|".join(filter(None, (party.unit, normal_name(party.name) or party.post)))
        if who and region:
            found[PersonKey("accused", f"{who}|{region[:6]}")] = None
    return tuple(found)
