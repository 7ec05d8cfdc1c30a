"""Calls (话务): what telephone systems and seats do to calls and callbacks, each in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from casework.permissions import Permissions, Verb
from petition import identity
from petition.deadlines import DeadlineEngine
from petition.errors import Forbidden, Invalid, Problem
from store import audit, callbacks, calls, sheets
from store.accounts import Officer
from store.callbacks import Callback, Reason
from store.calls import CallState, StoredCall
from store.sheets import Sheet
from store.transaction import Transaction

CALLBACK = "seat_callback"  # the limit in deadlines.toml
OPEN_WITHIN = timedelta(seconds=15)  # a seat whose page was not heard of for so long is empty
# A call of which nothing was heard for so long has ended, and nobody told us: while it rings, and once it is answered.
RINGS = timedelta(minutes=3)
TALKS = timedelta(hours=1)
SHORTEST_RESULT = 2
# Why a call becomes no petition.
NO_PETITION = {"wrong": "打错了", "silent": "无人说话或骚扰电话", "asked": "只是问路、问号码，已当场答复"}
LONGEST_RESULT = 2000


@dataclass(frozen=True, slots=True)
class Calls:
    """The verbs of the seats. Machines ring, end and ask for callbacks; officers with the verb `answer` do the rest."""

    permissions: Permissions
    engine: DeadlineEngine

    def ring(
        self,
        tx: Transaction,
        *,
        channel: str,
        call_id: str,
        number: str,
        line: str,
        at: datetime,
        case_no: str = "",
        seat: str = "",
    ) -> bool:
        """Show the call at every open seat; seat: who has answered it. Whether anybody sits there."""
        calls.ring(tx, channel=channel, call_id=call_id, number=number, line=line, at=at, case_no=case_no, seat=seat)
        return bool(calls.seated(tx, OPEN_WITHIN))

    def over(self, tx: Transaction, channel: str, call_id: str, at: datetime) -> None:
        """The call has ended. One that nobody answered, or answered without a work order, is called back."""
        before = calls.over(tx, channel, call_id, at)
        if before is not None:
            self._never_lost(tx, before)

    def call_back(
        self,
        tx: Transaction,
        *,
        channel: str,
        call_id: str,
        number: str,
        line: str,
        at: datetime,
        wish: str,
        case_no: str = "",
    ) -> None:
        """Enter a callback, once a call."""
        callbacks.add(
            tx,
            channel=channel,
            call_id=call_id,
            reason=Reason.WISH,
            number=number,
            line=line,
            called_at=at,
            due=self.engine.after(CALLBACK, at).due,
            wish=wish,
            case_no=case_no,
        )

    def sweep(self, tx: Transaction) -> int:
        """End the calls whose end got lost on the way; how many."""
        silent = calls.silent(tx, tx.now - RINGS, tx.now - TALKS)
        for call in silent:
            self.over(tx, call.channel, call.call_id, tx.now)
        return len(silent)

    def check(self, officer: Officer) -> None:
        """Raise Forbidden unless the officer sits at the telephone."""
        if not self.permissions.has(officer, Verb.ANSWER):
            raise Forbidden("您的岗位不接听来电。")

    def take(self, tx: Transaction, officer: Officer, call_row: int) -> Sheet:
        """Answer a call and begin its work order; Conflict when another seat was faster. The same officer again gets
        the sheet that was begun."""
        self.check(officer)
        call = calls.get(tx, call_row)
        if call.sheet and call.seat == officer.name:
            return sheets.get(tx, call.sheet, officer.name)
        sheet = secrets.token_urlsafe(12)
        calls.take(tx, call, officer.name, sheet)
        fields = {
            "line": call.line,
            "started_at": f"{tx.now if call.state is CallState.WAITING else call.at:%Y-%m-%dT%H:%M}",
            **({"join": call.case_no} if call.case_no else {}),
        }
        return self._begin(tx, officer, sheet, call.channel, call.call_id, fields)

    def write_by_hand(self, tx: Transaction, officer: Officer, task_row: int = 0) -> Sheet:
        """Begin the work order of a call no telephone system told of; task_row: the callback it is about, or 0."""
        self.check(officer)
        sheet = secrets.token_urlsafe(12)
        fields = {"started_at": f"{tx.now:%Y-%m-%dT%H:%M}"}
        if not task_row:
            return self._begin(tx, officer, sheet, "", "", fields)
        task = callbacks.get(tx, task_row)
        fields |= {"line": task.line, **({"join": task.case_no} if task.case_no else {})}
        return self._begin(tx, officer, sheet, task.channel, task.call_id, fields)

    def throw_away(self, tx: Transaction, officer: Officer, sheet: Sheet, reason: str) -> None:
        """A sheet that is no petition (wrong number, nobody speaks); the reason stays on the audit trail."""
        self.check(officer)
        if reason not in NO_PETITION:
            raise Invalid((Problem("drop", "drop_empty", "请选择不登记的原因。"),))
        sheets.drop(tx, sheet)
        audit.record(tx, officer.actor, "sheet_dropped", reason=f"{NO_PETITION[reason]} {sheet.call_id}".strip())

    def submitted(self, tx: Transaction, sheet: Sheet, case_no: str) -> None:
        """The call has become a case, or belongs to one."""
        if sheet.call_id:
            calls.belongs(tx, sheet.channel, sheet.call_id, case_no)

    def take_callback(self, tx: Transaction, officer: Officer, task_row: int, version: int) -> None:
        """Take a callback on; Conflict when it was changed since it was looked at."""
        self._check_callback(officer)
        task = self._looked_at(tx, task_row, version)
        callbacks.take(tx, task, officer.name)
        audit.record(tx, officer.actor, "callback_taken", task.case_no)

    def show_callback(self, tx: Transaction, officer: Officer, task_row: int, reason: str, address: str) -> Callback:
        """The task with its number, after the reason is on the audit trail; Invalid without one."""
        self._check_callback(officer)
        task = callbacks.get(tx, task_row)
        self._shown(tx, officer, task.case_no, task.number, reason, address)
        return task

    def show_number(
        self, tx: Transaction, officer: Officer, number: str, case_no: str, reason: str, address: str
    ) -> None:
        """Write down that a caller's number is about to be shown, and why; Invalid without a reason."""
        self.check(officer)
        self._shown(tx, officer, case_no, number, reason, address)

    def done(self, tx: Transaction, officer: Officer, task_row: int, version: int, result: str) -> None:
        """Close a callback with what came of it; Invalid without words, Conflict when it was changed meanwhile."""
        self._check_callback(officer)
        result = result.strip()
        if not SHORTEST_RESULT <= len(result) <= LONGEST_RESULT:
            words = f"请写明回呼结果，{SHORTEST_RESULT}到{LONGEST_RESULT}个字，例如“已接通，诉求人同意并入原件”。"
            raise Invalid((Problem("result", "result_length", words),))
        task = self._looked_at(tx, task_row, version)
        callbacks.close(tx, task, officer.name, result)
        audit.record(tx, officer.actor, "callback_done", task.case_no)

    def _never_lost(self, tx: Transaction, call: StoredCall) -> None:
        if call.sheet or not call.number:
            return
        reason = Reason.MISSED if call.state is CallState.WAITING else Reason.UNWRITTEN
        callbacks.add(
            tx,
            channel=call.channel,
            call_id=call.call_id,
            reason=reason,
            number=call.number,
            line=call.line,
            called_at=call.at,
            due=self.engine.after(CALLBACK, call.at).due,
            case_no=call.case_no,
        )

    def _begin(
        self, tx: Transaction, officer: Officer, sheet: str, channel: str, call_id: str, fields: Mapping[str, str]
    ) -> Sheet:
        sheets.create(tx, sheet=sheet, seat=officer.name, channel=channel, call_id=call_id, fields=fields)
        return sheets.get(tx, sheet, officer.name)

    def _check_callback(self, officer: Officer) -> None:
        if not self.permissions.has(officer, Verb.CALL_BACK):
            raise Forbidden("您的岗位不办理回呼。")

    def _looked_at(self, tx: Transaction, task_row: int, version: int) -> Callback:
        # The version the page was made from counts: the store finds a changed task by it.
        return replace(callbacks.get(tx, task_row), version=version)

    def _shown(self, tx: Transaction, officer: Officer, case_no: str, number: str, reason: str, address: str) -> None:
        if not reason:
            raise Invalid((Problem("why", "why_empty", "请选择查看号码的理由。"),))
        told = f"{reason} {identity.mask_phone(number)}"
        audit.record(tx, officer.actor, "read_number", case_no, told, ("number",), address)
