"""The registry (渠道登记表): every door of the house by name; GATEWAY_CHANNELS says which are open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from channels import email, fax, hotline, proxy, rest, sms, visit, voice, web, wechat
from channels.door import Door

DOORS: Mapping[str, Callable[[], Door]] = MappingProxyType(
    {
        web.NAME: web.Web,
        rest.NAME: rest.Rest,
        email.NAME: email.Email,
        sms.NAME: sms.Sms,
        voice.NAME: voice.Voice,
        hotline.NAME: hotline.Hotline,
        fax.NAME: fax.Fax,
        visit.NAME: visit.Visit,
        proxy.NAME: proxy.Proxy,
        wechat.NAME: wechat.Wechat,
    }
)


class UnknownChannel(ValueError):
    """GATEWAY_CHANNELS names a channel that does not exist; the message lists those that do."""


def open_doors(names: Iterable[str]) -> tuple[Door, ...]:
    """The doors of these names, in order; UnknownChannel stops the start for a name that is not here."""
    wanted = tuple(names)
    unknown = [name for name in wanted if name not in DOORS]
    if unknown:
        known = ", ".join(sorted(DOORS))
        raise UnknownChannel(f"GATEWAY_CHANNELS: 没有渠道 {', '.join(unknown)} (unknown); 现有 (known): {known}")
    return tuple(DOORS[name]() for name in wanted)
