"""The exchange courier (对接交换): PUT petition/1 to the routing system outside, signed, under a stable key."""

from __future__ import annotations

import binascii
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from config.units import Unit
from dispatch.courier import Again, Delivered, Held, Outcome
from petition import clock
from petition.petition import Petition
from store.outbox import Order

TIMEOUT = 2.0  # seconds; the lease of an order must be a multiple of it
LARGEST = 64 << 10  # bytes of an answer that are read
# These 4xx speak of the moment, not of the petition: too slow, too early, too many.
LATER = frozenset({408, 425, 429})


def sealer(secret: str) -> Webhook:
    """The signer of Standard Webhooks for a base64 secret (`whsec_` may stand before it); ValueError if it is none."""
    try:
        return Webhook(secret)
    except (EmptyWebhookSecretError, binascii.Error, ValueError):
        raise ValueError("ROUTING_SECRET must be base64 of at least one byte, as Standard Webhooks writes it") from None


class Exchange:
    """The routing system behind ROUTING_URL. encode: petition/1 as UTF-8 JSON. Safe for many threads."""

    def __init__(
        self,
        url: str,
        secret: str,
        encode: Callable[[Petition], bytes],
        *,
        timeout: float = TIMEOUT,
        connections: int = 32,
    ) -> None:
        self._url = url.rstrip("/")
        self._webhook = sealer(secret)
        self._encode = encode
        self._timeout = timeout
        # trust_env: a proxy named in the environment must never see petitions.
        self._client = httpx.Client(
            timeout=timeout,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )

    def deliver(self, order: Order, petition: Petition, unit: Unit) -> Outcome:
        """2xx and 409 are delivered, other 4xx held; a 5xx, a broken answer or silence mean once more."""
        body = self._encode(petition)
        signed_at = clock.now().astimezone(UTC)  # the library reads the wall time as UTC
        headers = {
            "content-type": "application/json",
            "idempotency-key": order.key,
            "webhook-id": order.key,
            "webhook-timestamp": str(int(signed_at.timestamp())),
            "webhook-signature": self._webhook.sign(order.key, signed_at, body.decode()),
        }
        url = f"{self._url}/petitions/{petition.case_no}"
        try:
            with self._client.stream("PUT", url, content=body, headers=headers) as answer:
                return self._judge(answer)
        except httpx.TimeoutException:
            return Again(problem=f"转办系统超过 {self._timeout:g} 秒没有答复")
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            return Again(problem=f"转办系统连接失败({type(problem).__name__})")

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def _judge(self, answer: httpx.Response) -> Outcome:
        status = answer.status_code
        if status == 409:
            return Delivered(detail="转办系统已有此件(409)")
        if 400 <= status < 500 and status not in LATER:
            return Held(reason=f"转办系统拒收(HTTP {status}),需要人工核对后重新发送")
        if not answer.is_success:
            wished = retry_after(answer.headers.get("retry-after", ""))
            return Again(problem=f"转办系统答复 HTTP {status}", after=wished)
        try:
            return _read(self._body(answer))
        except ValueError:
            return Again(problem="转办系统的答复无法读取")

    def _body(self, answer: httpx.Response) -> bytes:
        # The client's timeout is for each read; a router that sends a byte a second must not keep us either.
        until = time.monotonic() + self._timeout
        body = b""
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > LARGEST:
                raise ValueError("the answer is too large")
            if time.monotonic() > until:
                raise httpx.ReadTimeout("the answer took too long")
        return body


def retry_after(value: str) -> timedelta | None:
    """The pause a Retry-After header asks for (RFC 9110: seconds or a date), None if it says nothing usable."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment - clock.now(), timedelta())


def _read(body: bytes) -> Delivered:
    """`{routing_id, unit: {code, name}, due_at?}`; ValueError if it is not an object of that kind."""
    answer: Any = json.loads(body)
    if not isinstance(answer, dict):
        raise ValueError("not an object")
    unit = answer.get("unit")
    unit = unit if isinstance(unit, dict) else {}
    routing_id = _text(answer.get("routing_id"))
    return Delivered(
        detail=f"转办系统已接收 {routing_id}".strip(),
        routing_id=routing_id,
        unit_code=_text(unit.get("code")),
        unit_name=_text(unit.get("name")),
        due_at=_moment(answer.get("due_at")),
    )


def _text(value: Any) -> str:
    return str(value)[:200] if isinstance(value, str | int) else ""


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return clock.aware(datetime.fromisoformat(value))
    except ValueError:
        return None
