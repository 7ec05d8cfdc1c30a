"""The group desk (联名台): what the pages of joint petitions ask of the store, and who may ask it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from config.group import GroupRules
from normalizer import joint
from petition import identity
from petition.arrival import Outcome
from petition.errors import Conflict
from petition.people import Role
from petition.petition import Lane, Purpose
from petition.workflow import Status, words_for_citizen
from store import groups, history, petitions
from store.database import Store
from store.groups import Group, Member
from store.petitions import Case
from store.transaction import Transaction

_OVER = frozenset({Status.WITHDRAWN, Status.ARCHIVED, Status.CONCLUDED, Status.TERMINATED})
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """One person of the case as the opener may see it: masked, found again by a code."""

    code: str
    name: str
    represents: bool
    fixed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenersView:
    """What the opener sees. group: None until the link is made."""

    case_no: str
    title: str
    group: Group | None
    headcount: int
    signers: tuple[Signer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersView:
    """What somebody sees who joined."""

    member: Member
    title: str
    status: str
    headcount: int
    represents: bool


def may_open(case: Case) -> bool:
    """Whether a case may have a link: a joint one that keeps nothing secret (Regulation art. 30) and is not over."""
    record = case.petition
    secret = case.lane is Lane.SEALED or record.confidential or record.purpose is Purpose.ACCUSATION
    return record.is_joint_letter and not secret and case.status not in _OVER and case.standing is not Outcome.REFUSED


class GroupDesk:
    """Everything the pages do; each change is one transaction with its step of history."""

    def __init__(self, store: Store, rules: GroupRules) -> None:
        self._store = store
        self.rules = rules
        self._lasts = timedelta(days=rules.link_days)

    async def opener(self, case_no: str) -> OpenersView | None:
        """The opener's view, or None when the case may have no link."""

        def look(tx: Transaction) -> OpenersView | None:
            case, group = petitions.find(tx, case_no), groups.find(tx, case_no)
            if case is None or not may_open(case):
                return None
            signers = tuple(
                Signer(
                    code=groups.person_code(tx.vault, person).hex(),
                    name=identity.mask_name(person.name or person.org_name),
                    represents=person.role is Role.REPRESENTATIVE,
                    fixed=place == 0,
                )
                for place, person in enumerate(case.petition.petitioners)
            )
            record = case.petition
            return OpenersView(
                case_no=case_no, title=record.title, group=group, headcount=record.headcount, signers=signers
            )

        return await self._store.read(look)

    async def release(self, case_no: str, title: str, summary: str, household: str) -> None:
        """Make the link, or a new one in place of the old."""

        def work(tx: Transaction) -> None:
            groups.put(tx, case_no, title=title, summary=summary, household=household, lasts=self._lasts)
            self._step(tx, case_no, "group_link")

        await self._store.write(work)

    async def renew(self, case_no: str) -> None:
        """A new link with the same words; whoever holds the old one reaches nothing."""

        def work(tx: Transaction) -> None:
            group = groups.find(tx, case_no)
            if group is not None:
                groups.renew(tx, case_no, self._lasts)
                self._step(tx, case_no, "group_link")

        await self._store.write(work)

    async def set_open(self, case_no: str, takes: bool) -> None:
        """Close the link, or take people again."""

        def work(tx: Transaction) -> None:
            groups.set_open(tx, case_no, takes, self._lasts)
            self._step(tx, case_no, "group_open" if takes else "group_closed")

        await self._store.write(work)

    async def represent(self, case_no: str, person: str, chosen: bool) -> bool:
        """Choose a representative or not; False beyond the most."""
        for left in range(_TRIES, 0, -1):
            try:
                return await self._store.write(
                    lambda tx: joint.represent(tx, case_no, person, chosen, self.rules.representatives)
                )
            except Conflict:  # somebody joined in the same moment
                if left == 1:
                    raise
        return False

    async def by_token(self, token: str) -> Group | None:
        """The group a link leads to; None for an unknown or replaced link, or when its case may have none any more."""

        def look(tx: Transaction) -> Group | None:
            group = groups.by_token(tx, token)
            case = petitions.find(tx, group.case_no) if group is not None else None
            return group if case is not None and may_open(case) else None

        return await self._store.read(look)

    async def member_of(self, case_no: str, query_code: str) -> str:
        """The id in hex of the joining this code belongs to, or empty."""
        member = await self._store.read(lambda tx: groups.by_code(tx, case_no, query_code))
        return member.uid.hex() if member is not None else ""

    async def member(self, uid: str) -> MembersView | None:
        """What somebody sees who joined."""

        def look(tx: Transaction) -> MembersView | None:
            member = groups.member(tx, bytes.fromhex(uid))
            case = petitions.find(tx, member.case_no) if member is not None else None
            if member is None or case is None:
                return None
            group, record = groups.find(tx, member.case_no), case.petition
            sealed = case.lane is Lane.SEALED
            own = [one for one in record.petitioners if groups.person_code(tx.vault, one) == member.person]
            return MembersView(
                member=member,
                title=group.title if group is not None and not sealed else "",
                status=words_for_citizen(case.status, accusation=sealed),
                headcount=record.headcount,
                represents=any(one.role is Role.REPRESENTATIVE for one in own),
            )

        return await self._store.read(look)

    @staticmethod
    def _step(tx: Transaction, case_no: str, event: str) -> None:
        case = petitions.get(tx, case_no)
        history.append(tx, case_no, event=event, status=case.status, actor="petitioner", public=False)
