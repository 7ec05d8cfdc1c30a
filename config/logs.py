"""Logs (日志): one JSON line an event, a sentence with fields, no personal data in any of them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime
from typing import Any, TextIO
from zoneinfo import ZoneInfo

import structlog

Scrub = Callable[[str], str]

# Fields whose value is personal whatever it looks like; only its length is shown.
PERSONAL_KEYS = frozenset(
    "name names address residence content summary title text body requests accused subject remarks "
    "id_no id_number mobile landline phone telephone email sender recipient caller "
    "password token secret secret_key key api_key authorization cookie query_code totp".split()
)
_DEPTH = 8
# Loud at their own level; what they say at INFO is about every connection.
_CHATTY = ("aiohttp.access", "httpx", "httpcore", "alembic", "sqlalchemy", "kombu", "amqp", "asyncio", "celery")


class Mask:
    """A structlog processor: scrubs every text, however deep, and hides fields that are personal by name.

    scrub: replaces what looks like an ID number, a phone number or an e-mail address by its mask
    (`petition.identity.scrub`, handed in by the composition root: config knows no other room).
    """

    def __init__(self, scrub: Scrub) -> None:
        self._scrub = scrub

    def __call__(self, logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """The event with masked values; `logger` and `method` are of structlog's protocol."""
        return {key: self._field(key, value, 0) for key, value in event.items()}

    def _field(self, key: object, value: Any, depth: int) -> Any:
        if isinstance(key, str) and key.lower() in PERSONAL_KEYS and value not in (None, ""):
            return f"***({len(value)})" if hasattr(value, "__len__") else "***"
        return self._value(value, depth)

    def _value(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            text = self._scrub(str(value))
            return value if text == str(value) else text
        if depth >= _DEPTH:
            return "..."
        if isinstance(value, Mapping):
            return {self._scrub(str(key)): self._field(key, each, depth + 1) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(each, depth + 1) for each in value]
        if isinstance(value, bytes):
            return f"{len(value)} bytes"
        return self._scrub(str(value))


def _stamp(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # The machine's own time, not petition/clock.py's: a log is about the machine.
    event["time"] = datetime.now(ZoneInfo("Asia/Shanghai")).isoformat(timespec="milliseconds")
    return event


def _in_order(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    first = {key: event.pop(key) for key in ("time", "level", "event") if key in event}
    return first | dict(event)


def set_up(level: str, scrub: Scrub, stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's logging to one masked JSON line; for a composition root.

    level: DEBUG, INFO, WARNING or ERROR. stream: standard error unless given. Fields bound by
    `structlog.contextvars.bind_contextvars` (the request id) stand in every line of that request.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        _stamp,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            Mask(scrub),  # after everything that could add text, right before the line is written
            _in_order,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
