"""The described way (自配短信接口): a provider of text messages of which nothing is known but its file of settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx

from config.messenger import Messenger
from dispatch.courier import Again, Held
from dispatch.couriers.signing import filled, signature_of, values_of
from dispatch.couriers.sms import OptedOut, Sent, ShortText, TextOutcome, Unsure, ask, by_status, client

_PERHAPS = "上次发送没有得到答复，可能已经发出；请向本人核实，没有收到的再重新投递"


class DescribedTexts:
    """A provider by its description. secret: of GATEWAY_SMS_SECRET; sign: the words between 【】.

    ValueError when the description needs a secret and there is none.
    """

    def __init__(self, provider: Messenger, secret: str, sign: str) -> None:
        if not secret and "secret" in provider.placeholders:
            raise ValueError("GATEWAY_SMS_SECRET: 短信接口的签名需要密钥 (the provider's signature needs the secret)")
        self.name = provider.name
        self.signs = provider.sign  # whether the words begin with our 【…】
        self._provider = provider
        self._secret = secret
        self._sign = sign
        self._client = client(provider.timeout)

    def request(self, text: ShortText) -> httpx.Request:
        """The request of one try, signed."""
        provider, recipe = self._provider, self._provider.signature
        values = values_of(provider, text, self._secret, self._sign)
        fields: dict[str, Any] = filled(provider.fields, values)
        if recipe is not None and recipe.field:
            fields[recipe.field] = signature_of(provider, recipe, fields, values, b"")
        body, kind = self._body(fields)
        if recipe is not None and not recipe.field:
            values["signature"] = signature_of(provider, recipe, fields, values, body)
        headers = {name: str(filled(each, values)) for name, each in provider.headers.items()}
        url = provider.url
        if provider.content == "query":
            url += ("&" if "?" in url else "?") + body.decode("ascii")
            return self._client.build_request(provider.method, url, headers=headers)
        return self._client.build_request(provider.method, url, headers={"content-type": kind, **headers}, content=body)

    def send(self, text: ShortText, *, repeat: bool) -> TextOutcome:
        """One message. What may have gone out goes again only if the provider knows the id, else a person decides."""
        if repeat and not self._provider.repeatable:
            return Held(reason=_PERHAPS)
        told = ask(self._client, self.request(text), self._provider.timeout)
        if not isinstance(told, tuple):
            return told
        status, body, headers = told
        found = self._code(body)
        if found is None:
            # Without a code of its own there is only the status; a good one with an unreadable answer tells nothing.
            known = by_status(status, headers)
            if known is None and 400 <= status < 500:
                return Held(reason=f"短信平台拒发（HTTP {status}）")
            return known or Unsure(problem="短信平台的答复无法读取")
        code, message_id = found
        answer = self._provider.answer
        if code in answer.success and 200 <= status < 300:
            return Sent(message_id=message_id)
        if code in answer.opted_out:
            return OptedOut()
        if code in answer.again:
            return Again(problem=f"短信平台暂不受理（{code}）")
        return by_status(status, headers) or Held(reason=f"短信平台拒发（{code}）")

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def _body(self, fields: Mapping[str, Any]) -> tuple[bytes, str]:
        charset = self._provider.charset
        if self._provider.content == "json":
            words = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
            return words.encode(charset), f"application/json; charset={charset}"
        body = urlencode({name: str(value) for name, value in fields.items()}, encoding=charset).encode("ascii")
        return body, f"application/x-www-form-urlencoded; charset={charset}"

    def _code(self, body: bytes) -> tuple[str, str] | None:
        """(code, the provider's id of the message) of an answer, None if it is not of the described shape."""
        answer = self._provider.answer
        if answer.pattern:
            found = re.search(answer.pattern, body.decode(self._provider.charset, "replace"))
            return None if found is None else (found["code"], (found.groupdict().get("id") or "")[:64])
        try:
            told = json.loads(body.decode(self._provider.charset, "replace"))
        except ValueError:
            return None
        code = at(told, answer.path)
        return None if code is None else (code[:40], (at(told, answer.id) or "")[:64])


def at(value: Any, path: str) -> str | None:
    """The plain value at a path such as data.0.code, as text; None if there is none."""
    for step in path.split(".") if path else ():
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None
