"""The desk (工作台): queues with their order, one case for one officer, search, and the original of a case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from casework.permissions import Allowed, Denied, Permissions, Verb, View, Why
from petition import identity
from petition.arrival import Outcome
from petition.deadlines import Deadline, DeadlineEngine
from petition.errors import Forbidden, NotFound
from petition.origin import THEME
from petition.petition import Form, Lane, Purpose, Urgency
from petition.workflow import Status
from store import audit, outbox, petitions, tables
from store.accounts import Officer
from store.history import Step
from store.outbox import Order, OrderState
from store.petitions import Case
from store.proof import original_context
from store.transaction import Transaction

SHOWN = 100  # rows of a list; who has more waiting works from the top anyway
EXACT = 60  # up to so many the count is exact for this officer, recusals taken off; beyond it, it is the database's
SOON = 3  # days before the end at which a lamp turns amber
_AT_BUREAU = frozenset({Status.RECEIVED, Status.SCREENED, Status.RETURNED_FOR_SUPPLEMENT, Status.REGISTERED})
_AT_UNIT = frozenset({Status.FORWARDED, Status.ASSIGNED, Status.OBJECTED})
_HANDLED = frozenset({Status.ACCEPTED, Status.IN_PROGRESS, Status.EXTENDED})
_OVER = (Status.WITHDRAWN.value, Status.ARCHIVED.value)
_RANK = {Urgency.MAJOR: 0, Urgency.URGENT: 1, Urgency.NORMAL: 2}
_SEARCHED = ("mobile", "landline", "id_no", "uscc", "email")


class Queue(StrEnum):
    """What waits for a person."""

    HELD = "held"  # 待核来件: could not become a petition by itself
    NEW = "new"  # 新到来件: nobody has confirmed it yet
    ORDERS = "orders"  # 待处理转办单: could not be delivered
    ALL = "all"  # 全部


class Band(StrEnum):
    """How pressing: the colour and the word of a lamp."""

    LATE = "late"
    DUE = "due"
    FINE = "fine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """A deadline as the officer sees it. days: until the last day, negative when over."""

    band: Band
    days: int
    deadline: Deadline

    @property
    def words(self) -> str:
        """还有3天 · 今天到期 · 已超期2天; a provisional date says so."""
        if self.days < 0:
            told = f"已超期{-self.days}天"
        elif self.days == 0:
            told = "今天到期"
        else:
            told = f"还有{self.days}天"
        return f"{told}（暂定）" if self.deadline.provisional else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a queue. why: what keeps it here, in words; order: the held order in the orders queue."""

    case: Case
    lamp: Lamp | None
    why: str = ""
    order: Order | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the officer narrows a list to; None or empty is everything. category: a code and all below it;
    theme: code of a theme channel."""

    urgency: Urgency | None = None
    form: Form | None = None
    purpose: Purpose | None = None
    category: str = ""
    theme: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The answer to "show me this case". audit_action: to be written down before anything is shown, or empty."""

    case: Case | None
    verdict: Allowed | Denied
    audit_action: str = ""
    audit_reason: str = ""

    def get(self) -> Case:
        """The case; raises NotFound or Forbidden."""
        if isinstance(self.verdict, Denied):
            raise self.verdict.error()
        assert self.case is not None
        return self.case


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What came in, as it came. body: None if it lies among the files under its digest."""

    digest: str
    media_type: str
    size: int
    channel: str
    raw_id: str
    received_at: datetime
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Desk:
    """The reading side of casework: pure over a transaction, nothing here changes a case."""

    permissions: Permissions
    engine: DeadlineEngine

    def counts(self, tx: Transaction, officer: Officer) -> dict[Queue, int]:
        """How much waits in each queue for this officer."""
        return {queue: self._count(tx, officer, queue) for queue in Queue if queue is not Queue.ALL}

    def items(self, tx: Transaction, officer: Officer, queue: Queue, filters: Filters | None = None) -> list[Item]:
        """The lines of a queue, next up first: overdue and major before due soon before the rest; in each band by
        urgency, then by deadline, then by age. At most `SHOWN`."""
        filters = filters or Filters()
        if not self.permissions.view(officer):
            return []
        today = tx.now.date()
        found = [item for item in self._visible(tx, officer, queue, filters, today) if not filters.late or _late(item)]
        return sorted(found, key=_next_up)[:SHOWN]

    def look(self, tx: Transaction, officer: Officer, case_no: str, verb: Verb = Verb.READ) -> Sight:
        """The case for this officer. Looking at a sealed case, and trying to look at a hidden one, is to be audited."""
        found = petitions.find(tx, case_no)
        if found is None:
            return Sight(case=None, verdict=Denied(Why.LANE, ""))
        verdict = self.permissions.may(officer, verb, found)
        if isinstance(verdict, Denied):
            if not verdict.hidden:
                return Sight(case=None, verdict=verdict)
            reason = self.permissions.recusal(officer, found.petition) if verdict.why is Why.RECUSED else "保密通道"
            return Sight(case=None, verdict=verdict, audit_action="denied", audit_reason=reason)
        action = "read_sealed" if found.lane is Lane.SEALED else ""
        return Sight(case=found, verdict=verdict, audit_action=action)

    def search(self, tx: Transaction, officer: Officer, text: str, address: str) -> list[Case]:
        """Cases of a phone, ID or credit-code number or an e-mail address; writes the audit row, so run it as a write.

        Raises Forbidden without the verb, NotFound when the text is none of these.
        """
        if not self.permissions.has(officer, Verb.SEARCH):
            raise Forbidden("您的岗位不能按电话、证件号检索。")
        values = _keys(text)
        if not values:
            raise NotFound("请输入信访编号、手机号、固定电话、证件号码或电子邮箱。")
        codes = [tx.vault.index(kind, value) for kind, value in values]
        numbers = list(dict.fromkeys(number for number, _ in petitions.by_people(tx, codes, SHOWN)))
        found = [
            each
            for each in petitions.cases(tx, numbers)
            if isinstance(self.permissions.may(officer, Verb.SEARCH, each), Allowed)
        ]
        # The masked value tells the auditor enough, and the trail does not become a second register of people.
        kind, value = values[0]
        mask = identity.mask_email(value) if kind == "email" else identity.scrub(value)
        audit.record(tx, officer.actor, "search", reason=f"{kind} {mask}", fields=(kind,), address=address)
        return sorted(found, key=lambda each: each.received_at, reverse=True)

    def lamp(self, one: Case, today: date, steps: Iterable[Step] = ()) -> Lamp | None:
        """The limit that runs now, or None. steps: the history, needed once the unit has accepted."""
        if one.status in _AT_BUREAU or one.standing is Outcome.HELD:
            key, start = "transfer", one.received_at
        elif one.status in _AT_UNIT:
            key, start = "acceptance", one.petition.path[-1].at if one.petition.path else one.received_at
        elif one.status in _HANDLED:
            accepted = [step.at for step in steps if step.status is Status.ACCEPTED]
            if not accepted:
                return None
            key, start = "opinion", accepted[0]
        else:
            return None
        deadline = self.engine.after(key, start)
        days = deadline.days_left(today)
        band = Band.LATE if days < 0 else Band.DUE if days <= SOON else Band.FINE
        return Lamp(band=band, days=days, deadline=deadline)

    def _count(self, tx: Transaction, officer: Officer, queue: Queue) -> int:
        views = self.permissions.view(officer)
        if not views:
            return 0
        wanted = _limited(queue, Filters(), views)
        number = int(tx.connection.scalar(wanted.with_only_columns(func.count(), maintain_column_froms=True)) or 0)
        if number > EXACT:
            return number
        return len(list(self._visible(tx, officer, queue, Filters(), tx.now.date())))

    def _visible(
        self, tx: Transaction, officer: Officer, queue: Queue, filters: Filters, today: date
    ) -> Iterable[Item]:
        table = tables.petitions
        wanted = _limited(queue, filters, self.permissions.view(officer))
        if filters.theme:
            wanted = wanted.where(table.c.case_no.in_(petitions.marked(tx, THEME, filters.theme)))
        urgent_first = case({one.value: rank for one, rank in _RANK.items()}, value=table.c.urgency, else_=2)
        # The oldest and the most urgent: together they hold whatever can stand at the top of the list.
        orders: dict[tuple[str, int | None], None] = {}
        for order_by in ((table.c.received_at,), (urgent_first, table.c.received_at)):
            for row in tx.connection.execute(wanted.order_by(*order_by).limit(SHOWN)):
                orders[row.case_no, row.order_id if queue is Queue.ORDERS else None] = None
        cases = {each.case_no: each for each in petitions.cases(tx, {number for number, _ in orders})}
        for number, order_id in orders:
            one = cases.get(number)
            if one is None or not isinstance(self.permissions.may(officer, Verb.LIST, one), Allowed):
                continue
            order = outbox.find(tx, order_id) if order_id is not None else None
            why = order.problem if order else one.hold_reason
            yield Item(case=one, lamp=self.lamp(one, today), why=why, order=order)


def find_original(tx: Transaction, one: Case) -> Original | None:
    """What came in under the ledger entry of the case; None only if the ledger was tampered with."""
    row = tx.connection.execute(select(tables.ledger).where(tables.ledger.c.id == one.ledger_id)).one_or_none()
    if row is None:
        return None
    wanted = select(tables.originals.c.sealed).where(tables.originals.c.digest == row.digest)
    sealed = tx.connection.scalar(wanted)
    return Original(
        digest=row.digest,
        media_type=row.media_type,
        size=row.size,
        channel=row.channel,
        raw_id=row.raw_id,
        received_at=one.received_at,
        body=None if sealed is None else tx.vault.open(sealed, original_context(row.digest)),
    )


def without_hidden_links(tx: Transaction, permissions: Permissions, officer: Officer, one: Case) -> Case:
    """The case with only those proposed links whose other case the officer may know of."""
    if not one.petition.related:
        return one
    others = {each.case_no: each for each in petitions.cases(tx, {each.case_no for each in one.petition.related})}
    seen = tuple(
        link
        for link in one.petition.related
        if link.case_no in others and isinstance(permissions.may(officer, Verb.READ, others[link.case_no]), Allowed)
    )
    return replace(one, petition=replace(one.petition, related=seen))


def _keys(text: str) -> list[tuple[str, str]]:
    """(kind, normal form) of everything the text can be; the kinds are those of the look-up table."""
    tries = {
        "mobile": identity.normal_mobile(text),
        "landline": identity.normal_landline(text),
        "id_no": identity.check_resident_id(text).normal,
        "uscc": identity.check_uscc(text).normal,
        "email": identity.normal_email(text),
    }
    return [(kind, tries[kind]) for kind in _SEARCHED if tries[kind]]


def _limited(queue: Queue, filters: Filters, views: Sequence[View]) -> Select[Any]:
    table, orders = tables.petitions, tables.outbox
    if queue is Queue.ORDERS:
        wanted = select(table.c.case_no, orders.c.id.label("order_id")).join(
            orders, and_(orders.c.case_no == table.c.case_no, orders.c.state == OrderState.HELD.value)
        )
    else:
        wanted = select(table.c.case_no)
    match queue:
        case Queue.HELD:
            wanted = wanted.where(table.c.standing == Outcome.HELD.value)
        case Queue.NEW:
            wanted = wanted.where(
                table.c.standing == Outcome.PETITION.value,
                table.c.confirmed_at.is_(None),
                table.c.status.not_in(_OVER),
            )
    for column, value in (("urgency", filters.urgency), ("form", filters.form), ("purpose", filters.purpose)):
        if value is not None:
            wanted = wanted.where(table.c[column] == value.value)
    if filters.category:
        wanted = wanted.where(
            or_(table.c.category == filters.category, table.c.category.startswith(f"{filters.category}."))
        )
    return wanted.where(or_(*(_inside(view) for view in views)))


def _inside(view: View) -> ColumnElement[bool]:
    table = tables.petitions
    lanes = table.c.lane.in_([lane.value for lane in view.lanes])
    if view.unit is not None:
        return and_(lanes, table.c.unit == view.unit)
    # A case without a known place is seen from the region of the office; `may` decides for each one.
    return and_(lanes, or_(table.c.region.startswith(view.region or ""), table.c.region == ""))


def _late(item: Item) -> bool:
    return item.lamp is not None and item.lamp.band is Band.LATE


def _next_up(item: Item) -> tuple[int, int, date, datetime]:
    one, lamp = item.case, item.lamp
    bands = {Band.LATE: 0, Band.DUE: 1, Band.FINE: 2}
    # A major matter is reported at once (Regulation art. 25): it does not wait for its lamp to turn.
    band = 0 if one.urgency is Urgency.MAJOR else bands[lamp.band] if lamp else 3
    end = lamp.deadline.end if lamp else (one.received_at + timedelta(days=3650)).date()
    return band, _RANK[one.urgency], end, one.received_at
