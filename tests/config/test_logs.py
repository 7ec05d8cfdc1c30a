"""Logs: one JSON line an event, with the request's id, and nobody's data in it."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog

from config.logs import Mask, set_up
from petition.identity import scrub

# Fictional: area 620199, mobile 154..., example.com
ID_NUMBER = "620199198001010013"
MOBILE = "15400001234"
EMAIL = "yanshi.sample@example.com"
PLANTED = (ID_NUMBER, ID_NUMBER[:6] + " " + ID_NUMBER[6:14] + " " + ID_NUMBER[14:], MOBILE, "154-0000-1234", EMAIL)

Lines = io.StringIO


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The stream all logs go to during the test; logging is as before afterwards."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    stream = io.StringIO()
    set_up("DEBUG", scrub, stream)
    yield stream
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers = before
    root.setLevel(level)


def events(lines: Lines) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().split("\n")[:-1]]


def test_a_line_is_a_sentence_with_fields(lines: Lines) -> None:
    structlog.contextvars.bind_contextvars(request_id="r-1")
    structlog.get_logger("dispatch").info("petition delivered", case_no="620000W2026112200001X", attempt=2)
    (event,) = events(lines)
    assert list(event)[:3] == ["time", "level", "event"]
    assert datetime.fromisoformat(event.pop("time")).utcoffset() == timedelta(hours=8)
    assert event == {
        "event": "petition delivered",
        "level": "info",
        "logger": "dispatch",
        "request_id": "r-1",
        "case_no": "620000W2026112200001X",
        "attempt": 2,
    }


def test_the_standard_librarys_logging_comes_the_same_way(lines: Lines) -> None:
    structlog.contextvars.bind_contextvars(request_id="r-2")
    logging.getLogger("some.library").warning("call from %s", MOBILE)
    (event,) = events(lines)
    assert event["event"] == "call from 154****1234"
    assert (event["level"], event["logger"], event["request_id"]) == ("warning", "some.library", "r-2")


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize(
    "place",
    [
        lambda value: {"note": value},
        lambda value: {"note": f"来电{value}反映道路问题"},
        lambda value: {"rows": [{"deep": ({"deeper": value},)}]},
        lambda value: {"rows": {value: 1}},
        lambda value: {"note": ValueError(value)},
        lambda value: {"note": {value}},
        lambda value: {"name": value},
        lambda value: {"raw": value.encode()},
    ],
    ids=["field", "sentence", "nested", "key", "object", "set", "personal key", "bytes"],
)
def test_planted_identity_data_never_comes_out(planted: str, place: Any, lines: Lines) -> None:
    structlog.get_logger("x").info(f"read {planted}", **place(planted))
    assert len(events(lines)) == 1
    assert planted not in lines.getvalue()
    assert not any(piece in lines.getvalue() for piece in ("19800101", "00001234", "0000-1234", "yanshi.sample"))


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("logger", ["structlog", "logging"])
def test_exceptions_are_masked_with_their_causes(planted: str, logger: str, lines: Lines) -> None:
    try:
        try:
            raise KeyError(planted)
        except KeyError as cause:
            raise ValueError(f"cannot read {planted}") from cause
    except ValueError:
        if logger == "structlog":
            structlog.get_logger("x").exception("stage broke")
        else:
            logging.getLogger("x").exception("stage broke")
    (event,) = events(lines)
    assert "ValueError: cannot read" in event["exception"]
    assert "KeyError" in event["exception"]
    assert planted not in lines.getvalue()


def test_numbers_that_are_people_are_masked_and_counts_are_not(lines: Lines) -> None:
    structlog.get_logger("x").info("numbers", phone_number=int(MOBILE), count=12345, seconds=1763800000.25, ok=True)
    (event,) = events(lines)
    assert event["phone_number"] == "154****1234"
    assert (event["count"], event["seconds"], event["ok"]) == (12345, 1763800000.25, True)


def test_fields_that_are_personal_by_name_show_only_their_length(lines: Lines) -> None:
    log = structlog.get_logger("x")
    log.info("draft", name="示例人", Content="示例内容五字", content_size=6, nested={"address": ["甲", "乙"]}, title="")
    (event,) = events(lines)
    assert event["name"] == "***(3)"
    assert event["Content"] == "***(6)"
    assert event["nested"] == {"address": "***(2)"}
    assert (event["content_size"], event["title"]) == (6, "")


def test_what_contains_itself_does_not_hang(lines: Lines) -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    structlog.get_logger("x").info("loop", value=loop)
    assert '"..."' in lines.getvalue()
    assert len(lines.getvalue()) < 1000


def test_a_line_break_cannot_forge_a_line(lines: Lines) -> None:
    structlog.get_logger("x").info("first\n{}", note="a\r\nb\u2028c")
    assert len(lines.getvalue().split("\n")) == 2
    assert events(lines)[0]["event"] == "first\n{}"


def test_warnings_are_logged_too(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(f"old call by {MOBILE}", stacklevel=1)
    assert MOBILE not in lines.getvalue()
    assert "old call by" in events(lines)[0]["event"]


def test_libraries_that_talk_about_every_connection_are_quiet(lines: Lines) -> None:
    logging.getLogger("aiohttp.access").info("GET /track?code=...")
    logging.getLogger("kombu").warning("broker is away")
    assert [event["event"] for event in events(lines)] == ["broker is away"]


def test_the_mask_asks_the_scrub_it_was_given() -> None:
    mask = Mask(lambda text: text.replace("x", "-"))
    assert mask(None, "info", {"event": "axb", "list": ["x", 1]}) == {"event": "a-b", "list": ["-", 1]}
