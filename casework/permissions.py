"""Permissions (权限): role x region x unit x lane as one question, and who must withdraw (回避, Regulation art. 28)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from config.regions import contains, significant
from config.roles import RoleRow, Roles
from config.units import Units
from petition.errors import Forbidden, NotFound, PetitionError
from petition.identity import normal_name
from petition.petition import Lane, Petition
from store.accounts import Officer

# Why a unit may not have the petition, in words; empty if it may. Given by the composition root (`dispatch.conflict`).
ConflictGuard = Callable[[Petition, str], str]

# The organs the Regulation charges with receiving what is said against their own government (arts. 14, 22, 30).
_RECEIVING_KINDS = frozenset({"xinfang", "discipline"})


class Verb(StrEnum):
    """What an officer may do (操作); the words stand in roles.toml."""

    LIST = "list"
    READ = "read"
    READ_IDENTITY = "read_identity"
    SEARCH = "search"
    CORRECT = "correct"
    CONFIRM = "confirm"
    REROUTE = "reroute"
    RELEASE = "release"
    LINK = "link"
    RETRY = "retry"
    UNSEAL = "unseal"
    AUDIT = "audit"
    OFFICERS = "officers"
    ANSWER = "answer"
    CALL_BACK = "call_back"
    REGISTER_VISIT = "register_visit"
    FILE_FOR = "file_for"


class Why(StrEnum):
    """Why not. lane and recused are told to nobody: the case does not exist for this officer."""

    LANE = "lane"
    RECUSED = "recused"
    REACH = "reach"
    VERB = "verb"


class Matter(Protocol):
    """What the question needs of a case; `store.petitions.Case` is one."""

    @property
    def petition(self) -> Petition: ...
    @property
    def lane(self) -> Lane: ...
    @property
    def unit(self) -> str: ...
    @property
    def region(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes. role: the first of the officer's roles that says so."""

    role: str


@dataclass(frozen=True, slots=True)
class Denied:
    """No. words: for the officer, tells nothing about a case the officer may not know of."""

    why: Why
    words: str

    @property
    def hidden(self) -> bool:
        """Whether even the existence of the case is kept back."""
        return self.why in (Why.LANE, Why.RECUSED)

    def error(self) -> PetitionError:
        """NotFound for a hidden case, else Forbidden."""
        return NotFound("没有找到这件信访，请核对编号。") if self.hidden else Forbidden(self.words)


@dataclass(frozen=True, slots=True)
class View:
    """What a list may hold at all, for the database; each case in it is still asked about one by one.

    region: digits the problem place begins with, or None; unit: the own unit, or None. Exactly one is set.
    """

    lanes: tuple[Lane, ...]
    region: str | None
    unit: str | None


@dataclass(frozen=True, slots=True)
class Permissions:
    """The rules, made once. office_region: where a case belongs whose place is not known yet."""

    roles: Roles
    units: Units
    office_region: str
    guard: ConflictGuard

    def may(self, officer: Officer, verb: Verb, case: Matter) -> Allowed | Denied:
        """Whether the officer may do this to this case. Pure: no clock, no database."""
        if case.lane not in self._lanes(officer):
            return Denied(Why.LANE, "")
        if self.recusal(officer, case.petition):
            return Denied(Why.RECUSED, "")
        denied = Denied(Why.REACH, "这件信访不在您的辖区或单位范围内。")
        for key in officer.roles:
            role = self.roles.find(key)
            if role is None or case.lane.value not in role.lanes or not self._reaches(officer, role, case):
                continue
            if verb.value in role.verbs:
                return Allowed(key)
            denied = Denied(Why.VERB, f"您的岗位不能办理“{self.roles.verbs[verb.value]}”。")
        return denied

    def has(self, officer: Officer, verb: Verb) -> bool:
        """Whether any role of the officer has the verb, for menus and for what concerns no single case."""
        return any(verb.value in role.verbs for role in self._rows(officer))

    def recusal(self, officer: Officer, petition: Petition) -> str:
        """Why the officer must withdraw, in words for the audit row; empty if not.

        A unit that is only below an accused government withdraws too, except the organs that the Regulation charges
        with receiving such petitions: or nobody could register a complaint about the highest government of the tree.
        """
        own = normal_name(officer.display_name)
        if own and any(normal_name(accused.name) == own for accused in petition.accused):
            return "与被反映人同名"
        reason = self.guard(petition, officer.unit) if officer.unit and petition.accused else ""
        if not reason:
            return ""
        unit = self.units.find(officer.unit)
        if unit is None or unit.kind not in _RECEIVING_KINDS:
            return reason
        words = (unit.name, *unit.aliases, *unit.leaders)
        named = any(word in accused.unit + accused.name for accused in petition.accused for word in words)
        return reason if named else ""

    def view(self, officer: Officer, verb: Verb = Verb.LIST) -> tuple[View, ...]:
        """What may be listed: one view for each reach of the roles; empty for officers who see no case."""
        found: dict[str, set[Lane]] = {}
        for role in self._rows(officer):
            if verb.value in role.verbs and role.reach != "none":
                found.setdefault(role.reach, set()).update(lane for lane in officer.lanes if lane.value in role.lanes)
        views = []
        for reach, lanes in found.items():
            ordered = tuple(sorted(lanes))
            if not ordered:
                continue
            if reach == "region":
                views.append(View(ordered, significant(officer.region), None))
            if officer.unit:
                views.append(View(ordered, None, officer.unit))
        return tuple(views)

    def _lanes(self, officer: Officer) -> frozenset[Lane]:
        of_roles = {lane for role in self._rows(officer) for lane in role.lanes}
        return frozenset(lane for lane in officer.lanes if lane.value in of_roles)

    def _rows(self, officer: Officer) -> list[RoleRow]:
        return [row for key in officer.roles if (row := self.roles.find(key))]

    def _reaches(self, officer: Officer, role: RoleRow, case: Matter) -> bool:
        if role.reach == "none":
            return False
        if officer.unit and case.unit == officer.unit:
            return True
        return role.reach == "region" and contains(officer.region, case.region or self.office_region)
