"""The text message courier (短信信使): what every way to a provider takes and answers, and what silence means."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import httpx

from dispatch.courier import Again, Held
from dispatch.couriers.exchange import retry_after

LARGEST = 64 << 10  # bytes of an answer that are read
# These speak of the moment, not of the message: too slow, too early, too many, not now.
LATER = frozenset({408, 425, 429, 503})
NO_ACCOUNT = frozenset({401, 403, 404})  # the settings are wrong, not the message
_MEND = timedelta(minutes=5)  # before the settings are tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortText:
    """One text message. to: E.164; words: with the signature before them; kind, values: for providers that take an
    approved template; id: the same for every try and nobody else's; receipts: where the provider may tell what became
    of it; at: aware."""

    to: str
    words: str
    kind: str
    values: Mapping[str, str]
    id: str
    receipts: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The provider has it. message_id: its own number, if it told one."""

    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """It went out and nobody knows whether it arrived. problem: for officers, without personal data."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedOut:
    """The person told the provider that no text messages are wanted."""


TextOutcome = Sent | Again | Held | Unsure | OptedOut


class Texter(Protocol):
    """A way to send a text message (短信通道). May be called from many threads at once."""

    name: str

    def send(self, text: ShortText, *, repeat: bool) -> TextOutcome:
        """Hand it over once; never raises for what the other side does.

        repeat: an earlier try of the same id may have gone out; it must not reach the telephone twice.
        """
        ...

    def close(self) -> None:
        """Let go of connections; send is not called afterwards."""
        ...


def client(timeout: float) -> httpx.Client:
    """A client that asks no proxy of the environment, follows nothing and waits `timeout` seconds for each step."""
    return httpx.Client(
        timeout=timeout,
        trust_env=False,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=8, max_keepalive_connections=8),
    )


Told = tuple[int, bytes, httpx.Headers]  # status, body, headers


def ask(talk: httpx.Client, request: httpx.Request, seconds: float) -> Told | Again | Unsure:
    """What was answered; Again when the request certainly did not get there, Unsure otherwise."""
    until = time.monotonic() + 2 * seconds
    try:
        answer = talk.send(request, stream=True)
        try:
            body = b""
            for piece in answer.iter_bytes():
                body += piece
                # The client's timeout is for each read; one byte a second must not keep us either.
                if len(body) > LARGEST or time.monotonic() > until:
                    return Unsure(problem="短信平台的答复过长或过慢")
            return answer.status_code, body, answer.headers
        finally:
            answer.close()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
        return Again(problem=f"短信平台连接失败（{type(problem).__name__}）")
    except httpx.TimeoutException:
        return Unsure(problem=f"短信平台超过 {seconds:g} 秒没有答复")
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as problem:
        return Unsure(problem=f"短信平台连接中断（{type(problem).__name__}）")


def by_status(status: int, headers: httpx.Headers) -> Again | Unsure | None:
    """What the HTTP status alone tells; None when the answer has to be read."""
    if status in LATER:
        return Again(problem=f"短信平台答复 HTTP {status}", after=retry_after(headers.get("retry-after", "")))
    if status in NO_ACCOUNT:
        return Again(problem=f"短信平台不接受本机关的账号或地址（HTTP {status}），请核对设置", after=_MEND)
    if status >= 500:
        return Unsure(problem=f"短信平台答复 HTTP {status}")
    if 300 <= status < 400:
        return Again(problem=f"短信平台改了地址（HTTP {status}），请核对设置", after=_MEND)
    return None
