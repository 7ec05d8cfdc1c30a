"""The dump (设置清单): every setting as it is written in the environment, for people; secrets masked."""

from __future__ import annotations

import re

from pydantic import ByteSize, SecretStr

from config.apikey import ApiKey
from config.settings import PREFIX, Settings

_URL_FIELDS = frozenset({"database_url", "broker_url", "routing_url"})  # may carry a password


def shown(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Every setting as (GATEWAY_NAME, value) for `gateway check`: secrets and passwords in addresses are masked."""
    return tuple((PREFIX + name.upper(), _masked(name, getattr(settings, name))) for name in Settings.model_fields)


def written(value: object) -> str:
    """A value as it is written in the environment; no secret is masked here."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, ByteSize):
        return value.human_readable(separator="").replace(".0", "")
    if isinstance(value, tuple):
        return ",".join(map(written, value))
    if isinstance(value, ApiKey):
        return f"{value.name}:{written(value.key)}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _masked(name: str, value: object) -> str:
    if isinstance(value, SecretStr):
        return f"****** ({len(value.get_secret_value())})" if value.get_secret_value() else ""
    if name == "api_keys" and isinstance(value, tuple):
        return ",".join(f"{entry.name}:******" for entry in value)
    if name in _URL_FIELDS:
        return re.sub(r"(?<=://)[^/?#]*@", "******@", str(value))
    return written(value)
