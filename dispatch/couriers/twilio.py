"""The way over Twilio (短信服务商): POST Messages.json; after a silence its list is asked before a second try."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import Any

import httpx

from dispatch.courier import Again, Held
from dispatch.couriers.sms import OptedOut, Sent, ShortText, TextOutcome, ask, by_status, client

TIMEOUT = 5.0  # seconds for each step of the talk
_OPTED_OUT = 21610  # "Attempt to send to unsubscribed recipient" (twilio.com/docs/api/errors/21610)
_GONE = frozenset({"failed", "undelivered", "canceled"})
_LISTED = 50  # messages to one number on one day; ours are a handful


class TwilioTexts:
    """Messages of one account (twilio.com/docs/messaging/api/message-resource). sender: number, or MG... service."""

    name = "Twilio"

    def __init__(self, base: str, account: str, token: str, sender: str, timeout: float = TIMEOUT) -> None:
        self._url = f"{base.rstrip('/')}/2010-04-01/Accounts/{account}/Messages.json"
        self._sender = sender
        self._timeout = timeout
        self._client = client(timeout)
        self._client.auth = httpx.BasicAuth(account, token)

    def send(self, text: ShortText, *, repeat: bool) -> TextOutcome:
        """One message. Twilio knows no key of ours, so a repeat looks for the same words to the same number first."""
        if repeat:
            found = self._look(text)
            if found is not None:
                return found
        sender = "MessagingServiceSid" if self._sender.startswith("MG") else "From"
        form = {"To": text.to, sender: self._sender, "Body": text.words}
        if text.receipts:
            form["StatusCallback"] = text.receipts
        told = ask(self._client, self._client.build_request("POST", self._url, data=form), self._timeout)
        if not isinstance(told, tuple):
            return told
        status, body, headers = told
        if (known := by_status(status, headers)) is not None:
            return known
        answer = _object(body)
        if 200 <= status < 300:
            return Sent(message_id=str(answer.get("sid", ""))[:64])
        if answer.get("code") == _OPTED_OUT:
            return OptedOut()
        return Held(reason=f"短信平台拒发（{answer.get('code', status)}）")

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def _look(self, text: ShortText) -> TextOutcome | None:
        """The earlier try, if Twilio has it; None if it certainly has not."""
        since = (text.at.astimezone(UTC) - timedelta(days=3)).date().isoformat()
        query = {"To": text.to, "DateSent>": since, "PageSize": str(_LISTED)}
        told = ask(self._client, self._client.build_request("GET", self._url, params=query), self._timeout)
        if not isinstance(told, tuple):
            return Again(problem=told.problem)
        status, body, headers = told
        if (known := by_status(status, headers)) is not None:
            return Again(problem=known.problem, after=known.after if isinstance(known, Again) else None)
        answer = _object(body)
        listed = answer.get("messages")
        if not isinstance(listed, list):
            return Again(problem="短信平台的列表无法读取")
        for each in listed:
            same = isinstance(each, dict) and (each.get("to"), each.get("body")) == (text.to, text.words)
            if same and each.get("status") not in _GONE:
                return Sent(message_id=str(each.get("sid", ""))[:64])
        return None


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
