"""热线工单 The hotline door: work orders of a 12345 line, one by one or in batches.

POST /api/v1/hotline/orders   X-API-Key: ...   {"order_no": "GD20261122000123", "kind": "求助", "content": "...", ...}
201 {"order_no": "...", "case_no": "620000H2026112200001K", "query_code": "7M2K-...", "received_at": "...", ...}
POST /api/v1/hotline/orders   X-API-Key: ...   {"orders": [{...}, {...}]}
207 {"orders": [{"index": 0, "order_no": "...", "status": 201, "case_no": "...", "query_code": "..."}, ...]}
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from aiohttp import web

from channels.door import Hall
from channels.hotline_bridge import InProcedure, KnownOrder
from channels.hotline_calls import CallEvents
from channels.hotline_form import OrderReader, canonical, change_of, order_no_of, statement_of
from channels.hotline_request import JSON, KEY, NAME, answer, parse, take_in, unread, verify
from channels.theme import check_theme, themed
from petition.arrival import SUPPLEMENT, Arrival, Receipt
from petition.clock import aware
from petition.errors import (
    Conflict,
    Forbidden,
    Forged,
    Invalid,
    PetitionError,
    Problem,
    TooLarge,
    Unavailable,
    Unreadable,
)
from petition.petition import Form

__all__ = ["KEY", "NAME", "PATH", "Entered", "Hotline"]

PATH = "/api/v1/hotline/orders"
ORDERS_MAX = 500  # orders in one batch
AT_ONCE = 8  # intakes at the same time of one batch: others want to come in as well

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of one order (工单去向). linked: joined to the case of the same order number as a change;
    in_procedure: the matter is handled already under another number, and the new case is linked to it."""

    receipt: Receipt
    linked: bool
    in_procedure: InProcedure | None = None

    def told(self) -> dict[str, Any]:
        """What the platform learns beside the receipt."""
        if self.in_procedure is None:
            return {}
        return {"in_procedure": {"case_no": self.in_procedure.case_no, "status": self.in_procedure.status}}


class Hotline:
    """The door of 12345 lines; hotline_form has the fields, hotline_table reads their tables."""

    name = NAME

    def __init__(self) -> None:
        self._reader = OrderReader()
        self._calls = CallEvents()

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """POST /api/v1/hotline/orders and .../calls."""

        async def post(request: web.Request) -> web.Response:
            return await self._post(request, hall)

        return [web.post(PATH, post), self._calls.route(hall)]

    async def enter(self, order: object, received_at: datetime, hall: Hall) -> Entered:
        """One order (parsed JSON, or a row of a table) into the house, exactly once by its number.

        The same order again gives the same receipt. The number with other content is a change by the hotline: it joins
        the first one's case. Raises Invalid, Unreadable (the caller reports those to `hall.refuse`), Conflict when the
        number came before without a case, and what the intake raises.
        """
        try:
            raw = canonical(order)
        except RecursionError as problem:
            raise Unreadable("工单的嵌套层数太多。") from problem
        form = self._reader.read(order, raw, received_at, hall.known_region)
        if unknown := check_theme(hall.themes, form.theme):
            raise Invalid(unknown)
        sub_source, notes = themed(hall.themes, form.theme, NAME, received_at.date(), form.line)
        arrival = Arrival(
            channel=NAME,
            form=Form.HOTLINE,
            raw_id=form.order_no,
            received_at=received_at,
            petition_date=min(aware(form.started_at or received_at), received_at).date(),
            raw=raw,
            raw_type=JSON,
            sub_source=sub_source,
            notes=notes,
            statement=statement_of(form),
        )
        digest = hashlib.sha256(raw).hexdigest()
        # Asked first, so that a change is one entry in the ledger and not a refused one and a linked one.
        known = await self._known(form.order_no, hall)
        if known is None or (known.changes == 0 and known.digest == digest):
            try:
                receipt = await hall.intake(arrival)
            except Conflict:
                log.info("two contents of one order at the same moment")
                known = KnownOrder(await hall.enquiries.case_of(NAME, form.order_no), "", 0)
            else:
                await hall.bridge.note(form.order_no, KnownOrder(receipt.case_no, digest, 0))
                return Entered(receipt, False, await hall.bridge.in_procedure(receipt.case_no))
        if not known.case_no:
            raise Conflict()
        # Counted, because a hotline may go back to what it said before: that is a change and no repeat.
        turn = known.changes if known.digest == digest else known.changes + 1
        changed = replace(
            arrival,
            raw_id=f"{form.order_no}#{turn}-{digest[:16]}",
            sub_source=SUPPLEMENT + known.case_no,
            statement=change_of(form),
        )
        receipt = await hall.intake(changed)
        await hall.bridge.note(form.order_no, KnownOrder(known.case_no, digest, turn))
        return Entered(receipt, linked=True)

    async def _known(self, order_no: str, hall: Hall) -> KnownOrder | None:
        """What came before under this number; what came before the bridge was there is found in the ledger."""
        known = await hall.bridge.latest(order_no)
        if known is None and (digest := await hall.enquiries.digest_of(NAME, order_no)):
            return KnownOrder(await hall.enquiries.case_of(NAME, order_no), digest, 0)
        return known

    async def _post(self, request: web.Request, hall: Hall) -> web.Response:
        received_at, body = hall.clock(), bytearray()
        try:
            verify(request, hall.api_keys)
            await take_in(request, hall.max_body, body)
            order, batch = _split(bytes(body))
            if batch is None:
                return _answer(order, await self.enter(order, received_at, hall))
        except (Forbidden, Forged, Invalid, Unreadable, TooLarge) as problem:
            await hall.refuse(unread(bytes(body), received_at), problem.code)
            raise
        except web.HTTPUnsupportedMediaType:
            await hall.refuse(unread(b"", received_at), "unsupported_type")
            raise
        return answer({"orders": await self._batch(batch, received_at, hall)}, 207)

    async def _batch(self, orders: Sequence[object], received_at: datetime, hall: Hall) -> list[dict[str, Any]]:
        """What became of each order, in their order. Equal numbers go one after the other: the first is the first."""
        gate = asyncio.Semaphore(AT_ONCE)
        groups: dict[str, list[int]] = {}
        for index, order in enumerate(orders):
            groups.setdefault(order_no_of(order) or f"#{index}", []).append(index)

        async def run(group: list[int]) -> list[dict[str, Any]]:
            async with gate:
                return [await self._told(index, orders[index], received_at, hall) for index in group]

        told = [one for group in await asyncio.gather(*map(run, groups.values())) for one in group]
        return sorted(told, key=lambda one: one["index"])

    async def _told(self, index: int, order: object, received_at: datetime, hall: Hall) -> dict[str, Any]:
        """One line of the batch's answer; never raises, so that one bad order does not stop the others."""
        line: dict[str, Any] = {"index": index, "order_no": order_no_of(order)}
        try:
            try:
                entered = await self.enter(order, received_at, hall)
            except (Invalid, Unreadable) as problem:
                await hall.refuse(unread(canonical(order), received_at), problem.code)
                raise
        except PetitionError as problem:
            return {**line, "status": _status_of(problem), "problem": _problem(problem)}
        except Exception as problem:
            # A fault of ours: the others keep their receipts, this one may come again.
            log.error("order not entered", index=index, problem=type(problem).__name__)
            return {**line, "status": 503, "problem": _problem(Unavailable())}
        receipt = entered.receipt
        line["status"] = 200 if entered.linked else 201
        return {**line, "case_no": receipt.case_no, "query_code": receipt.query_code, **entered.told()}


def _split(body: bytes) -> tuple[object, list[object] | None]:
    """(the order, None) or (None, the orders of a batch); raises Unreadable, Invalid."""
    try:
        value = parse(body)
        canonical(value)
    except (ValueError, RecursionError) as problem:
        raise Unreadable("请求正文不是有效的 JSON。") from problem
    if not isinstance(value, dict):
        raise Invalid((Problem("order", "wrong_type", "应为对象。"),))
    if "orders" not in value:
        return value, None
    orders = value["orders"]
    if len(value) > 1:
        raise Invalid((Problem("order", "unknown_field", "批量提交时，除 orders 外不能有别的字段。"),))
    if not isinstance(orders, list):
        raise Invalid((Problem("orders", "wrong_type", "应为数组。"),))
    if not orders:
        raise Invalid((Problem("orders", "too_short", "至少要有1件工单。"),))
    if len(orders) > ORDERS_MAX:
        raise Invalid((Problem("orders", "too_long", f"一次最多{ORDERS_MAX}件工单，请分几次提交。"),))
    return None, orders


def _answer(order: object, entered: Entered) -> web.Response:
    receipt = entered.receipt
    body = {
        "order_no": order_no_of(order),
        "case_no": receipt.case_no,
        "query_code": receipt.query_code,
        "received_at": receipt.received_at.isoformat(),
        "linked": entered.linked,
        **entered.told(),
    }
    return answer(body, 200 if entered.linked else 201)


def _status_of(problem: PetitionError) -> int:
    """The status of one order in a batch: may come again, contradicts, or must be mended."""
    if problem.retryable:
        return 503
    return 409 if isinstance(problem, Conflict) else 422


def _problem(problem: PetitionError) -> dict[str, Any]:
    told: dict[str, Any] = {"code": problem.code, "detail": problem.words, "retryable": problem.retryable}
    if isinstance(problem, Invalid):
        told["errors"] = [{"field": one.field, "code": one.code, "detail": one.words} for one in problem.problems]
    return told
