"""What a seat is shown (坐席视图): calls, callbacks and earlier cases in plain words, every number masked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from casework.permissions import Allowed, Permissions, Verb
from config.units import Units
from gateway.pages import case_words as words
from gateway.pages.case_text import shown_no
from petition import identity
from petition.arrival import Outcome
from petition.status import is_open
from store import callbacks, calls, petitions, sheets
from store.accounts import Officer
from store.callbacks import Callback, Reason
from store.calls import CallState, StoredCall
from store.petitions import Case
from store.sheets import Sheet
from store.transaction import Transaction

MONTH = timedelta(days=30)
_SOON = timedelta(hours=2)  # before its end a callback's lamp turns amber
_FOUND = 50  # earlier cases looked at
_HIDDEN = "未显示号码"

REASONS = {
    Reason.WISH: "来电人要求回呼",
    Reason.MISSED: "来电没有接到",
    Reason.UNWRITTEN: "通话后没有工单",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A call on the page. often: calls of this number in thirty days; taken: answered elsewhere, without an order."""

    id: int
    number: str
    line: str
    since: str
    often: int
    taken: str
    case_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A callback on the page. band, due: its lamp."""

    id: int
    number: str
    reason: str
    line: str
    called: str
    wish: str
    case_no: str
    case_shown: str
    seat: str
    band: str
    due: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRow:
    """An earlier case of the caller: no content until it is opened. open: still in procedure."""

    case_no: str
    shown: str
    received: str
    status: str
    unit: str
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """A work order that was begun and not submitted."""

    id: str
    begun: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What changes by itself on the page."""

    calls: tuple[CallRow, ...]
    tasks: tuple[TaskRow, ...]
    sheets: tuple[SheetRow, ...]
    mark: str


def live(tx: Transaction, officer: Officer) -> Live:
    """Everything a seat sees beside the sheet it writes."""
    return Live(
        calls=tuple(call_row(tx, call) for call in calls.shown(tx)),
        tasks=tuple(task_row(task, tx.now) for task in callbacks.open_ones(tx)),
        sheets=tuple(_sheet_row(sheet) for sheet in sheets.unfinished(tx, officer.name)),
        mark=calls.mark(tx),
    )


def call_row(tx: Transaction, call: StoredCall) -> CallRow:
    """One call, its number masked."""
    return CallRow(
        id=call.id,
        number=masked(call.number),
        line=call.line,
        since=f"{call.at:%H:%M:%S}",
        often=calls.often(tx, call.number, MONTH),
        taken=call.seat if call.state is CallState.TAKEN else "",
        case_no=shown_no(call.case_no) if call.case_no else "",
    )


def task_row(task: Callback, now: datetime) -> TaskRow:
    """One callback, its number masked, with its lamp."""
    left = task.due - now
    band = "late" if left < timedelta() else "due" if left < _SOON else "fine"
    hours, minutes = divmod(int(abs(left).total_seconds()) // 60, 60)
    told = f"{hours}小时" if hours else f"{minutes}分钟"
    return TaskRow(
        id=task.id,
        number=masked(task.number),
        reason=REASONS[task.reason],
        line=task.line,
        called=f"{task.called_at.month}月{task.called_at.day}日 {task.called_at:%H:%M}",
        wish=identity.scrub(task.wish),
        case_no=task.case_no,
        case_shown=shown_no(task.case_no) if task.case_no else "",
        seat=task.seat,
        band=band,
        due=f"已超时{told}" if band == "late" else f"还有{told}",
        version=task.version,
    )


def masked(number: str) -> str:
    """154****0001; words for a hidden one."""
    return identity.mask_phone(number) or _HIDDEN


def number_of(tx: Transaction, sheet: Sheet) -> str:
    """The number of the call a sheet is about, unmasked; empty for one written by hand."""
    if not sheet.call_id:
        return ""
    call = calls.find(tx, sheet.channel, sheet.call_id)
    if call is not None:
        return call.number
    return next((task.number for task in callbacks.of_call(tx, sheet.channel, sheet.call_id)), "")


def earlier(
    tx: Transaction, officer: Officer, permissions: Permissions, units: Units, numbers: Iterable[str], id_no: str
) -> tuple[EarlierRow, ...]:
    """The cases of whoever calls, found by number or ID, as far as this officer may read them; the newest first."""
    keys = {key for number in numbers if (key := calls.key_of(number)) is not None}
    if found := identity.check_resident_id(id_no).normal if id_no.strip() else "":
        keys.add(("id_no", found))
    if not keys:
        return ()
    codes = [tx.vault.index(*key) for key in sorted(keys)]
    known = list(dict.fromkeys(case_no for case_no, _ in petitions.by_people(tx, codes, _FOUND)))
    readable = [
        case for case in petitions.cases(tx, known) if isinstance(permissions.may(officer, Verb.READ, case), Allowed)
    ]
    readable.sort(key=lambda case: case.received_at, reverse=True)
    return tuple(_earlier_row(case, units) for case in readable)


def _earlier_row(case: Case, units: Units) -> EarlierRow:
    unit = units.find(case.unit) if case.unit else None
    held = case.standing is Outcome.HELD
    return EarlierRow(
        case_no=case.case_no,
        shown=shown_no(case.case_no),
        received=f"{case.received_at.year}年{case.received_at.month}月{case.received_at.day}日",
        status="待人工核实" if held else words.STATUS[case.status.value],
        unit=unit.name if unit is not None else "",
        open=not held and case.standing is Outcome.PETITION and is_open(case.status),
    )


def _sheet_row(sheet: Sheet) -> SheetRow:
    title = sheet.fields.get("title") or sheet.fields.get("content", "")
    begun = sheet.created_at
    return SheetRow(
        id=sheet.id,
        begun=f"{begun.month}月{begun.day}日 {begun:%H:%M}",
        title=identity.scrub(title.strip())[:20] or "尚未填写内容",
    )
