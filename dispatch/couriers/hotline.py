"""The hotline courier (热线信使): tells the 12345 platform what became of its orders, signed, under a stable key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import httpx

from dispatch.courier import Again, Delivered, Held, Outcome
from dispatch.couriers.exchange import LATER, TIMEOUT, retry_after, sealer
from petition import clock


class HotlineCourier:
    """The platform behind HOTLINE_URL; Standard Webhooks (standardwebhooks.com). May be called from many threads."""

    def __init__(self, url: str, secret: str, *, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._webhook = sealer(secret)
        self._timeout = timeout

    def tell(self, key: str, told: Mapping[str, Any]) -> Outcome:
        """Post one event; 2xx and 409 are delivered, other 4xx held, a 5xx or silence mean once more. Never raises."""
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        signed_at = clock.now().astimezone(UTC)  # the library reads the wall time as UTC
        headers = {
            "content-type": "application/json",
            "idempotency-key": key,
            "webhook-id": key,
            "webhook-timestamp": str(int(signed_at.timestamp())),
            "webhook-signature": self._webhook.sign(key, signed_at, body),
        }
        try:
            # trust_env: a proxy named in the environment must not see it. Statuses are few: a connection each.
            with httpx.Client(timeout=self._timeout, trust_env=False, follow_redirects=False) as client:
                answer = client.post(self._url, content=body.encode(), headers=headers)
        except httpx.TimeoutException:
            return Again(problem=f"热线平台超过 {self._timeout:g} 秒没有答复")
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            return Again(problem=f"热线平台连接失败({type(problem).__name__})")
        status = answer.status_code
        if answer.is_success or status == 409:
            return Delivered(detail="热线平台已收到办理状态")
        if 400 <= status < 500 and status not in LATER:
            return Held(reason=f"热线平台拒收办理状态(HTTP {status}),需要人工核对后重新发送")
        return Again(problem=f"热线平台答复 HTTP {status}", after=retry_after(answer.headers.get("retry-after", "")))
