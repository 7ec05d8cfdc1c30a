"""Text messages as data: short enough, quiet at night, and nothing in them but number, word and address."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest

import config
from config.notices import MOST, VARIABLES, Notices, load_notices, segments
from petition.clock import SHANGHAI
from petition.status import Status

DATA = Path(config.__file__).parent / "data"
SIGN, TRACK = "示例省信访局", "https://petitions.example/track"


@pytest.fixture(scope="module")
def notices() -> Notices:
    return load_notices(DATA)


# label, text, how many messages it takes
LENGTHS: list[tuple[str, str, int]] = [
    ("nothing", "", 1),
    ("one whole", "访" * 70, 1),
    ("one more", "访" * 71, 2),
    ("two whole", "访" * 134, 2),
    ("three", "访" * 135, 3),
    ("an emoji counts twice", "😡" * 36, 2),
]


@pytest.mark.parametrize(("text", "count"), [row[1:] for row in LENGTHS], ids=[row[0] for row in LENGTHS])
def test_how_many_messages_a_text_takes(text: str, count: int) -> None:
    assert segments(text) == count


def test_every_text_that_ships_is_short_enough(notices: Notices) -> None:
    assert segments(notices.longest(SIGN, TRACK)) <= MOST
    values = {"case_no": "620000P2026112200001K", "track_url": TRACK}
    for words in notices.status.values():
        text = notices.written("notice", values | {"status": words}, SIGN)
        assert len(text) <= 134
        assert text.startswith("【示例省信访局】")
    code = values | {"query_code": "7M2K-9QXA-4TBD"}
    assert segments(notices.written("acknowledgement", code, SIGN)) == MOST


def test_a_text_holds_number_word_and_address_only(notices: Notices) -> None:
    assert set(notices.status) <= set(Status)
    assert VARIABLES["notice"] == {"case_no", "status", "track_url"}, "never a name, never the matter"
    assert "query_code" not in notices.texts["notice"], "the code is told once"


# label, hour, minute, when it may go (day, hour)
HOURS: list[tuple[str, int, int, tuple[int, int, int]]] = [
    ("in the day", 9, 30, (22, 9, 30)),
    ("the last minute", 20, 59, (22, 20, 59)),
    ("in the evening", 21, 0, (23, 8, 0)),
    ("before midnight", 23, 59, (23, 8, 0)),
    ("after midnight", 0, 0, (22, 8, 0)),
    ("early", 7, 59, (22, 8, 0)),
    ("in the morning", 8, 0, (22, 8, 0)),
]


@pytest.mark.parametrize(("hour", "minute", "then"), [row[1:] for row in HOURS], ids=[row[0] for row in HOURS])
def test_quiet_hours(notices: Notices, hour: int, minute: int, then: tuple[int, int, int]) -> None:
    awake = notices.awake(datetime(2026, 11, 22, hour, minute, tzinfo=SHANGHAI))
    assert (awake.day, awake.hour, awake.minute) == then


# label, what is replaced, by what, a piece of the words
BAD: list[tuple[str, str, str, str]] = [
    ("an unknown field", "daily = 5", "daly = 5", "daly"),
    ("a limit of none", "daily = 5", "daily = 0", "daily"),
    ("a limit in words", "expires_hours = 72", 'expires_hours = "three"', "expires_hours"),
    ("an hour that is no time", "from = 21:00:00", 'from = "21"', "quiet"),
    ("a text about the matter", "编号${case_no}。详情", "编号${case_no}${title}。详情", "notice"),
    ("a text without the number", "，编号${case_no}。详情", "。详情", "notice"),
    ("a status without words", 'ACCEPTED = "已受理"', 'ACCEPTED = ""', "notice.status"),
]


@pytest.mark.parametrize(("old", "new", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_slip_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    shutil.copy(DATA / "notices.toml", tmp_path)
    text = (tmp_path / "notices.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "notices.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=f"notices.toml.*{words}"):
        load_notices(tmp_path)
