"""Signing (短信接口签名): fills the fields of a described provider and signs them by its recipe."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from config.messenger import PLACEHOLDER, Messenger, Recipe
from dispatch.couriers.sms import ShortText
from petition.clock import SHANGHAI


def values_of(provider: Messenger, text: ShortText, secret: str, sign: str) -> dict[str, Any]:
    """What the placeholders stand for in one request; time and nonce are new each time, the id is not."""
    template = provider.templates.get(text.kind)
    named = {name: text.values.get(ours, "") for name, ours in template.params.items()} if template else {}
    return {
        "to": _number(text.to, provider.number),
        "text": text.words,
        "sign": sign,
        "template": template.id if template else "",
        "params": json.dumps(named, ensure_ascii=False, separators=(",", ":")),
        "params_object": named,
        "values": list(named.values()),
        "time": _moment(text.at, provider.time),
        "nonce": secrets.token_hex(16),
        "id": text.id,
        "secret": secret,
        **{f"params.{name}": value for name, value in text.values.items()},
    }


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """A field with its placeholders filled, nested ones too; what a text has not (a code in a notice) is empty."""
    if isinstance(template, str):
        if (whole := PLACEHOLDER.fullmatch(template)) and not isinstance(values.get(whole[1], ""), str):
            return values[whole[1]]
        return PLACEHOLDER.sub(lambda found: str(values.get(found[1], "")), template)
    if isinstance(template, Mapping):
        return {name: filled(each, values) for name, each in template.items()}
    if isinstance(template, list):
        return [filled(each, values) for each in template]
    return template


def pairs_of(recipe: Recipe, fields: Mapping[str, Any]) -> str:
    """The canonical string of the fields: sorted by name, each as `pair` says, joined."""
    names = sorted(fields) if recipe.sort else list(fields)
    joined = []
    for name in names:
        value = fields[name]
        words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if name in recipe.exclude or name == recipe.field or (recipe.skip_empty and not words):
            continue
        pair = {"name": _encoded(name), "value": _encoded(words)} if recipe.encode else {"name": name, "value": words}
        joined.append(str(filled(recipe.pair, pair)))
    return recipe.between.join(joined)


def signature_of(
    provider: Messenger, recipe: Recipe, fields: Mapping[str, Any], values: Mapping[str, Any], body: bytes
) -> str:
    """The signature over the fields and, where the recipe asks, over the body."""
    pairs = pairs_of(recipe, fields)
    url = provider.url.partition("://")[2]
    known = {
        **values,
        "pairs": pairs,
        "pairs_encoded": _encoded(pairs),
        "body": body.decode(provider.charset, "replace"),
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "method": provider.method,
        "host": url.partition("/")[0],
        "path": "/" + url.partition("/")[2].partition("?")[0],
    }
    message = str(filled(recipe.text, known)).encode(provider.charset)
    name = recipe.algorithm.removeprefix("hmac-")
    if recipe.algorithm.startswith("hmac-"):
        key = str(filled(recipe.key, values)).encode(provider.charset)
        digest = hmac.new(key, message, name).digest()
    else:
        digest = hashlib.new(name, message).digest()
    if recipe.output == "base64":
        return base64.b64encode(digest).decode()
    return digest.hex().upper() if recipe.output == "HEX" else digest.hex()


def _number(mobile: str, form: str) -> str:
    bare = mobile.removeprefix("+86")
    return {"local": bare, "86": f"86{bare}", "+86": f"+86{bare}"}[form]


def _moment(at: datetime, form: str) -> str:
    if form == "iso":
        return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if form == "compact":
        return f"{at.astimezone(SHANGHAI):%Y%m%d%H%M%S}"
    return str(int(at.timestamp() * (1000 if form == "unix_ms" else 1)))


def _encoded(text: str) -> str:
    """Percent-encoding of RFC 3986: everything but letters, digits and -_.~ ."""
    return quote(text, safe="-_.~")
