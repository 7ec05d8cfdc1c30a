"""Sheets: what files of pages are by their bytes, and whether they came whole."""

from __future__ import annotations

import pytest

from channels.sheet import JPEG, PDF, PNG, TIFF, is_whole, kind_of, pages_of
from tests.fakes.pages import jpeg, pdf, png, tiff

FILES = [(TIFF, tiff(3)), (PNG, png()), (PDF, pdf()), (JPEG, jpeg())]


@pytest.mark.parametrize(("kind", "body"), FILES, ids=[kind for kind, _ in FILES])
def test_a_file_is_known_by_its_bytes_and_by_its_end(kind: str, body: bytes) -> None:
    assert kind_of(body) == kind
    assert is_whole(body, kind)
    assert not is_whole(body[: len(body) * 2 // 3], kind), "cut off"


def test_pages_of_a_tiff_are_counted() -> None:
    assert [pages_of(tiff(number), TIFF) for number in (1, 3, 200)] == [1, 3, 200]
    assert (pages_of(png(), PNG), pages_of(pdf(), PDF)) == (1, 0)


# label, bytes
BROKEN: list[tuple[str, bytes]] = [
    ("only the mark", b"II*\0"),
    ("no directory", b"II*\0\0\0\0\0"),
    ("a directory that points to itself", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"),
    ("a directory beyond the end", b"MM\0*\0\0\xff\xff"),
    ("four thousand million strips", tiff().replace(b"\x11\x01\x04\0\x01\0\0\0", b"\x11\x01\x04\0\xff\xff\xff\xff")),
]


@pytest.mark.parametrize("body", [row[1] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_broken_tiff_is_told_and_never_raises(body: bytes) -> None:
    assert not is_whole(body, TIFF)


def test_what_is_no_page_is_none() -> None:
    assert [kind_of(body) for body in (b"", b"PK\3\4", b"hello", b"<html>%PDF")] == ["", "", "", ""]
