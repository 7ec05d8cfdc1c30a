"""The guards (路由守卫): who may knock at which route; a route that is not named here does not open."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Guard(StrEnum):
    """What has to be shown before a handler runs."""

    PUBLIC = "public"  # anybody may read
    FORM = "form"  # anybody, but only from our own page (CSRF) and within the rate
    DOOR = "door"  # anybody may hand something in, within the rate; machines, no cookie
    CODE = "code"  # case number with query code, or an API key; the handler checks, within the rate
    SIGN_IN = "sign-in"  # an officer who is not known yet; the gate checks the origin, within the rate
    OFFICER = "officer"  # a signed-in officer; the gate of `gateway.auth` checks sign-in and CSRF
    SIGNED = "signed"  # a signature over the body, or an API key; the handler checks


_P, _F, _D, _C, _O, _S = Guard.PUBLIC, Guard.FORM, Guard.DOOR, Guard.CODE, Guard.OFFICER, Guard.SIGNED

# Forms with files: their handlers check the CSRF token themselves, before the first file is read.
STREAMED = frozenset({"/file/evidence", "/track/supplement"})

_FILING = "who people region scene purpose story requests accused wishes evidence check".split()

_BOTH = ("GET", "POST")
_CASE = "/desk/cases/{case_no}"
_VERBS = "identity files/{digest} confirm release link retry correct correct/identity reroute".split()

_SEAT = "/desk/seat"
_SHEET, _TASK = "sheets/{sheet}", "callbacks/{task}"
_SEAT_READS = (
    *("", "/stream", "/live", "/regions.json", f"/{_SHEET}", f"/{_SHEET}/earlier"),
    *(f"/{_SHEET}/cases/{{case_no}}", f"/{_TASK}"),
)
_SEAT_VERBS = (
    *("calls/{call}/take", "sheets", _SHEET, f"{_SHEET}/number", f"{_SHEET}/submit", f"{_SHEET}/drop"),
    *(f"{_TASK}/take", f"{_TASK}/number", f"{_TASK}/done"),
)

GUARDS: Mapping[tuple[str, str], Guard] = MappingProxyType(
    {
        ("GET", "/healthz"): _P,
        ("GET", "/readyz"): _P,
        ("GET", "/metrics"): _P,
        ("GET", "/api/v1/openapi.json"): _P,
        ("GET", "/api/v1/petition-1.schema.json"): _P,
        ("POST", "/api/v1/petitions"): _D,
        ("GET", "/api/v1/petitions/{case_no}"): _C,
        ("POST", "/api/v1/routing/events"): _S,
        ("POST", "/api/v1/hotline/orders"): _S,
        ("POST", "/api/v1/hotline/calls"): _S,
        ("POST", "/webhooks/twilio/sms"): _D,
        ("POST", "/webhooks/twilio/sms/status"): _D,
        **{("POST", f"/webhooks/twilio/voice{step}"): _D for step in ("", "/status", "/recording", "/{step}")},
        ("GET", "/webhooks/wechat"): _D,
        ("POST", "/webhooks/wechat"): _S,
        ("GET", "/"): _F,
        ("GET", "/contact"): _F,
        ("GET", "/guide"): _F,
        ("GET", "/guide/flow"): _F,
        ("GET", "/privacy"): _F,
        ("POST", "/display"): _F,
        ("GET", "/theme/{code}"): _F,
        ("GET", "/s/{code}"): _F,
        ("GET", "/regions.json"): _P,
        ("GET", "/file"): _F,
        ("POST", "/file"): _F,
        ("POST", "/file/discard"): _F,
        **{(method, f"/file/{page}"): _F for page in _FILING for method in _BOTH},
        ("POST", "/file/evidence/{upload}/remove"): _F,
        ("GET", "/file/person/{place}"): _F,
        ("POST", "/file/person/{place}"): _F,
        ("POST", "/file/person/{place}/remove"): _F,
        ("GET", "/file/receipt"): _F,
        ("GET", "/file/receipt.txt"): _F,
        ("GET", "/track"): _F,
        ("POST", "/track"): _F,
        ("GET", "/track/case"): _F,
        ("POST", "/track/close"): _F,
        ("GET", "/kiosk"): _F,
        ("POST", "/kiosk/leave"): _F,
        ("GET", "/kiosk/still"): _F,
        ("GET", "/file/end"): _F,
        ("POST", "/file/end"): _F,
        ("POST", "/file/stay"): _F,
        ("POST", "/track/stay"): _F,
        ("GET", "/track/group"): _F,
        ("POST", "/track/group"): _F,
        ("GET", "/track/group/sheet"): _F,
        **{(method, f"/join/{page}"): _F for page in ("mine", "{token}") for method in _BOTH},
        ("GET", "/track/supplement"): _F,
        ("GET", "/track/rate"): _F,
        ("POST", "/track/rate"): _F,
        ("POST", "/track/supplement"): _F,
        **{(method, f"/desk/sign-in{page}"): Guard.SIGN_IN for page in ("", "/code", "/enrol") for method in _BOTH},
        ("POST", "/desk/sign-out"): _O,
        ("GET", "/desk"): _O,
        ("POST", "/desk/search"): _O,
        ("GET", _CASE): _O,
        **{("POST", f"{_CASE}/{verb}"): _O for verb in _VERBS},
        ("GET", f"{_CASE}/correct"): _O,
        ("GET", f"{_CASE}/reroute"): _O,
        **{(method, f"/desk/window{page}"): _O for page in ("", "/read", "/queue") for method in _BOTH},
        ("POST", "/desk/window/discard"): _O,
        ("GET", "/desk/window/receipt"): _O,
        ("GET", "/queue"): _F,
        **{("GET", f"{_SEAT}{page}"): _O for page in _SEAT_READS},
        **{("POST", f"{_SEAT}/{verb}"): _O for verb in _SEAT_VERBS},
        **{(method, f"/desk/proxy{page}"): _O for page in ("", "/mandate") for method in _BOTH},
        ("GET", "/desk/proxy/receipt"): _O,
        ("POST", "/desk/proxy/discard"): _O,
    }
)
