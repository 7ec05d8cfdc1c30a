"""The signature (服务商签名): webhooks of Twilio, read as forms and verified over the public address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from aiohttp import web
from twilio.request_validator import RequestValidator

from channels.door import Hall

SIGNATURE = "X-Twilio-Signature"
FORM_TYPE = "application/x-www-form-urlencoded"
UNVERIFIED = "签名不符"
_FIELDS_MAX = 1000  # Twilio sends some thirty; a flood of them is not worth the time of reading


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedForm:
    """One webhook request, read. fields: the parameters; raw: the canonical bytes; repeated: a name came twice."""

    fields: Mapping[str, str]
    raw: bytes
    repeated: bool


def read_form(body: bytes, left_out: frozenset[str] = frozenset()) -> SignedForm:
    """A form body; never raises. left_out: parameters that belong to the delivery and are not kept in raw.

    raw has the parameters sorted and encoded anew, so that a retry in another order equals the first; bytes that are
    no UTF-8 stay in it as they came and are replaced only in the fields.
    """
    if body.count(b"&") > _FIELDS_MAX:
        return SignedForm(fields={}, raw=body, repeated=True)
    # Latin-1 carries every byte there and back.
    pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    kept = sorted(pair for pair in pairs if pair[0] not in left_out)
    fields = {_utf8(name): _utf8(value) for name, value in pairs}
    return SignedForm(
        fields=fields, raw=urlencode(kept, encoding="latin-1").encode("ascii"), repeated=len(fields) < len(pairs)
    )


def verified(request: web.Request, form: SignedForm, hall: Hall) -> bool:
    """Whether Twilio signed this request, over the public address (twilio.com/docs/usage/security).

    The address this process sees is the proxy's. Without a token nothing is verified; Twilio repeats no name.
    """
    token = hall.twilio_auth_token.get_secret_value()
    if not token or form.repeated:
        return False
    address = hall.public_url.rstrip("/") + request.path_qs
    return bool(RequestValidator(token).validate(address, form.fields, request.headers.get(SIGNATURE, "")))


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")
