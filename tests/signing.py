"""The seal of the routing system (Standard Webhooks), made by hand so that the library under test has a witness."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

SECRET = "whsec_" + "c2FtcGxlLXNlY3JldC1vZi10aGUtdGVzdHMtMzI="


def signed(body: bytes, event_id: str = "evt-1", at: int | None = None, secret: str = SECRET) -> dict[str, str]:
    """The headers of Standard Webhooks, made by hand."""
    moment = str(int(time.time()) if at is None else at)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    seal = hmac.new(key, b".".join((event_id.encode(), moment.encode(), body)), hashlib.sha256).digest()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(seal).decode()}",
        "Content-Type": "application/json",
    }
