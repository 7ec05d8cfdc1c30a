"""The fax door alone: a real folder with real files, a clock that is turned by hand, an intake that remembers."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from channels.fax import Fax, FaxPoller, shown_name
from channels.faxbox import Faxbox
from channels.inbox import Found, Inbox
from config.fax import load_fax
from config.reference import DATA
from petition.errors import LowDisk, PetitionError, Unavailable
from petition.petition import Form
from tests.fakes.mailroom import NOW, Desk, hall_for
from tests.fakes.pages import jpeg, pdf, png, tiff

FAX = load_fax(DATA)
GOOD = "fax-8615400000001-20261122-083000.tif"


@dataclass
class Room:
    """A fax machine's folder, looked into when a test says so."""

    folder: Path
    desk: Desk
    box: Faxbox
    now: float = 1000.0
    inbox: Inbox = field(init=False)
    poller: FaxPoller = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.folder, self.box.watch, moment=lambda: self.now, wall=lambda: self.now)
        hall = replace(hall_for(self.desk, self.folder), faxbox=self.box, max_upload=100_000)
        self.poller = FaxPoller(hall, self.box, self.inbox)
        self.inbox.open()

    def put(self, name: str, body: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(body)
        return path

    async def look(self, *, after: float = 6.0) -> None:
        await self.poller.round()
        self.now += after
        await self.poller.round()

    def names(self, folder: str = "") -> list[str]:
        return sorted(path.name for path in (self.folder / folder).iterdir() if path.is_symlink() or not path.is_dir())


@pytest.fixture
def room(tmp_path: Path) -> Room:
    box = Faxbox(inbox=tmp_path, watch=FAX.watch, names=FAX.chosen("auto"), mails=tuple(FAX.mails.values()))
    return Room(tmp_path, Desk(), box)


async def test_a_fax_waits_to_be_read_with_its_pages_as_they_came(room: Room) -> None:
    body = tiff(3)
    room.put(GOOD, body)
    await room.look()
    [arrival] = room.desk.arrivals
    assert (arrival.channel, arrival.form, arrival.hold) == ("fax", Form.FAX, "传真待录入")
    assert (arrival.raw, arrival.raw_type) == (body, "image/tiff")
    assert [(one.name, one.media_type, one.body) for one in arrival.uploads] == [(GOOD, "image/tiff", body)]
    assert arrival.statement.petitioners[0].mobile == "+8615400000001"
    assert arrival.petition_date == date(2026, 11, 22)
    assert "3页" in arrival.statement.content
    assert [note.code for note in arrival.notes] == ["FAX_RECEIVED"]
    assert (room.names(), room.names("done/2026-11-22")) == ([], [GOOD])


# label, name, mobile, landline, day
NAMES: list[tuple[str, str, str, str, int]] = [
    ("sender first", GOOD, "+8615400000001", "", 22),
    ("without a time", "15400000002-20261121.pdf", "+8615400000002", "", 21),
    ("time first", "20261120093000_09318000000.pdf", "", "0931-8000000", 20),
    ("an area code, blanks and Chinese", "传真 0931-8000000 第1份.pdf", "", "0931-8000000", 22),
    ("nothing to read", "扫描 (3).pdf", "", "", 22),
    ("a clock that is wrong", "fax-15400000001-20200101-010101.pdf", "+8615400000001", "", 22),
    ("no such day", "fax-15400000001-20261399-010101.pdf", "+8615400000001", "", 22),
]


@pytest.mark.parametrize(
    ("name", "mobile", "landline", "day"), [row[1:] for row in NAMES], ids=[row[0] for row in NAMES]
)
async def test_the_name_says_who_sent_it_and_when(room: Room, name: str, mobile: str, landline: str, day: int) -> None:
    room.put(name, pdf())
    await room.look()
    [arrival] = room.desk.arrivals
    said = arrival.statement.petitioners
    assert [(one.mobile, one.landline) for one in said] == ([(mobile, landline)] if mobile or landline else [])
    assert arrival.petition_date.day == day


async def test_the_same_pages_under_another_name_are_the_same_fax(room: Room) -> None:
    room.put(GOOD, tiff())
    room.put("copy.tif", tiff())
    room.put("other.tif", tiff(mark=7))
    await room.look()
    ids = [arrival.raw_id for arrival in room.desk.arrivals]
    assert len(ids) == 3, "each one is handed in; the intake links it"
    assert len(set(ids)) == 2


async def test_a_file_that_still_grows_is_left_alone(room: Room) -> None:
    whole = tiff(20)
    path = room.put("slow.tif", whole[:100])
    await room.look()
    assert room.desk.arrivals == []
    for size in (300, 600):
        path.write_bytes(whole[:size])
        await room.look(after=3.0)
    assert room.desk.arrivals == [], "cut off, though it stood still for some seconds"
    path.write_bytes(whole)
    await room.look()
    assert [arrival.raw for arrival in room.desk.arrivals] == [whole]


async def test_what_stays_cut_off_is_entered_and_said_to_be(room: Room) -> None:
    room.put("half.pdf", pdf()[:80])
    await room.look(after=FAX.watch.patience - 1)
    assert room.desk.arrivals == []
    room.now += 70
    await room.look()
    [arrival] = room.desk.arrivals
    assert arrival.hold.startswith("传真待录入：文件可能没有传完")
    assert [note.code for note in arrival.notes] == ["FAX_CUT_OFF"]


async def test_a_writer_that_goes_on_while_it_is_read_gets_it_back(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    path = room.put(GOOD, tiff())
    read = Inbox.read

    def read_late(self: Inbox, found: Found, most: int) -> bytes | None:
        body = read(self, found, most)
        path.write_bytes(tiff(2))
        return body

    monkeypatch.setattr(Inbox, "read", read_late)
    await room.look()
    monkeypatch.undo()
    assert (room.desk.arrivals, room.names()) == ([], [GOOD])
    await room.look()
    assert [arrival.raw for arrival in room.desk.arrivals] == [tiff(2)]


async def test_bad_files_are_put_aside_with_a_reason_and_stop_nobody(room: Room, tmp_path_factory: Any) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.tif"
    outside.write_bytes(tiff())
    room.put("a-empty.tif", b"")
    (room.folder / "b-link.tif").symlink_to(outside)
    room.put("c-large.tif", tiff() + bytes(100_001))
    room.put("d-word.pdf", b"PK\3\4 no page")
    os.mkfifo(room.folder / "e-pipe.tif")
    room.put("z-good.png", png())
    room.put(".hidden.tif", tiff())
    room.put("half.tif.part", tiff())
    (room.folder / "folder").mkdir()
    await room.look()
    assert [arrival.raw_type for arrival in room.desk.arrivals] == ["application/octet-stream", "image/png"]
    assert room.desk.arrivals[0].hold.startswith("传真待录入：不是传真图像")
    assert room.names() == [".hidden.tif", "a-empty.tif", "half.tif.part"], "an empty file may still be filled"
    await room.look(after=FAX.watch.patience + 70)
    assert sorted(reason for _, reason in room.desk.refused) == ["empty", "not_a_file", "not_a_file", "too_large"]
    kept = room.names("failed")
    assert kept == sorted(
        name + end
        for name in ("a-empty.tif", "b-link.tif", "c-large.tif", "d-word.pdf", "e-pipe.tif")
        for end in ("", ".reason.txt")
    )
    assert outside.read_bytes() == tiff(), "the link was not followed"
    assert len({arrival.raw_id for arrival, _ in room.desk.refused}) == 4


# label, name, bytes, media type, whether the ending is noted
KINDS: list[tuple[str, str, bytes, str, bool]] = [
    ("a JPEG that says PDF", "x.pdf", jpeg(), "image/jpeg", True),
    ("a PDF without ending", "fax0001", pdf(), "application/pdf", True),
    ("a PNG in capitals", "X.PNG", png(), "image/png", False),
    ("200 pages", "long.tiff", tiff(200), "image/tiff", False),
]


@pytest.mark.parametrize(("name", "body", "kind", "noted"), [row[1:] for row in KINDS], ids=[row[0] for row in KINDS])
async def test_a_file_is_what_its_bytes_say(room: Room, name: str, body: bytes, kind: str, noted: bool) -> None:
    room.put(name, body)
    await room.look()
    [arrival] = room.desk.arrivals
    assert [one.media_type for one in arrival.uploads] == [kind]
    assert ("FAX_ENDING" in [note.code for note in arrival.notes]) is noted


async def test_what_may_not_be_read_is_tried_for_a_while_and_then_put_aside(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.put("a-locked.tif", tiff())
    room.put("b-good.png", png())
    opened = os.open

    def locked(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if str(path).endswith("a-locked.tif"):
            raise PermissionError(13, "denied")
        return opened(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", locked)
    await room.look()
    assert (len(room.desk.arrivals), room.names()) == (1, ["a-locked.tif"])
    await room.look(after=FAX.watch.patience + 70)
    assert [reason for _, reason in room.desk.refused] == ["unreadable"]
    assert "a-locked.tif" in room.names("failed")


@pytest.mark.parametrize("problem", [Unavailable(), LowDisk()], ids=["the database is away", "the disk is full"])
async def test_what_was_not_committed_stays_where_it_is(room: Room, problem: PetitionError) -> None:
    room.put(GOOD, tiff())
    room.desk.problem = problem
    await room.poller.round()
    room.now += 6
    with pytest.raises(Unavailable):
        await room.poller.round()
    assert room.names() == [GOOD]
    room.desk.problem = None
    await room.look()
    assert (len(room.desk.arrivals), room.names()) == (1, [])


async def test_a_bug_in_us_leaves_the_file_and_goes_on_with_the_next(room: Room) -> None:
    room.put("a.tif", tiff())
    room.put("b.tif", tiff(mark=1))
    room.desk.problem = RuntimeError("boom")
    await room.look()
    assert room.names() == ["a.tif", "b.tif"]
    room.desk.problem = None
    await room.look(after=70.0)
    await room.look()
    assert len(room.desk.arrivals) == 2


async def test_what_a_killed_process_had_in_hand_is_taken_up_again(room: Room) -> None:
    room.put(GOOD, tiff())
    await room.poller.round()
    room.now += 6
    [found] = room.inbox.look()
    assert room.inbox.claim(found) is not None
    assert room.inbox.claim(found) is None, "nobody else gets it"
    await room.look()
    assert room.desk.arrivals == []
    room.put(GOOD, tiff(2))
    room.now += FAX.watch.claimed
    await room.look()
    await room.look()
    assert len(room.desk.arrivals) == 2, "and one of the same name that came meanwhile is not written over"


async def test_entered_files_are_kept_some_days(room: Room) -> None:
    for day in ("2026-11-01", "2026-11-21"):
        (room.folder / "done" / day).mkdir()
    await room.look()
    assert sorted(path.name for path in (room.folder / "done").iterdir()) == ["2026-11-21"]


async def test_a_stop_finishes_the_file_at_hand_and_begins_no_other(tmp_path: Path) -> None:
    watch = replace(FAX.watch, every=0.01, settle=0.0)
    desk = Desk(gate=asyncio.Event())
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).write_bytes(tiff(mark=ord(name[0])))
    poller = await Fax().listen(replace(hall_for(desk, tmp_path), faxbox=Faxbox(inbox=tmp_path, watch=watch)))
    for _ in range(200):
        if not (tmp_path / "a.tif").exists():
            break
        await asyncio.sleep(0.01)
    stopped = asyncio.create_task(poller.stop())
    await asyncio.sleep(0.02)
    assert not stopped.done(), "it waits for the one at hand"
    assert desk.gate is not None
    desk.gate.set()
    await stopped
    assert [one.uploads[0].name for one in desk.arrivals] == ["a.tif"]
    assert (tmp_path / "done" / NOW.date().isoformat() / "a.tif").is_file()
    assert (tmp_path / "b.tif").is_file()


async def test_a_share_that_is_not_there_keeps_nobody_from_starting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    watch = replace(FAX.watch, every=0.01)
    box = Faxbox(inbox=tmp_path / "file" / "inbox", watch=watch)
    poller = await Fax().listen(replace(hall_for(Desk(), tmp_path), faxbox=box))
    await asyncio.sleep(0.03)
    await poller.stop()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("传真.pdf".encode("gbk"), "传真.pdf"),
        ("a\x07b\u202e.pdf".encode(), "ab.pdf"),
        (b"x" * 250 + b".tif", "x" * 180 + "…" + "x" * 15 + ".tif"),
    ],
    ids=["a name in GBK", "hidden signs", "a long one"],
)
def test_a_name_is_shown_as_text(raw: bytes, shown: str) -> None:
    assert shown_name(os.fsdecode(raw)) == shown


def test_an_unknown_rule_of_names_stops_the_start() -> None:
    with pytest.raises(ValueError, match="sender-first"):
        FAX.chosen("telex")
    assert len(FAX.chosen("time-first")) == 1
