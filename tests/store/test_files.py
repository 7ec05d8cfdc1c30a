"""Bodies: sealed, found again by digest, every change seen, refused when the disk is nearly full."""

from __future__ import annotations

from pathlib import Path

import pytest

from petition.errors import LowDisk, NotFound
from store.files import Files
from store.vault import BrokenSeal, Vault, digest_of

BODIES = [b"", b"x", b"short", b"x" * ((1 << 20) + 1), bytes(range(256)) * 20_000]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "blobs", Vault(b"a secret for tests, 32 bytes or more"), min_free=0)


@pytest.mark.parametrize("body", BODIES, ids=[str(len(body)) for body in BODIES])
def test_what_is_put_comes_back_under_its_digest(files: Files, tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "incoming"
    path.write_bytes(body)
    assert files.put(body) == digest_of(body) == files.adopt(path)
    assert files.open(digest_of(body)) == body
    assert not path.exists()
    assert not list(files.folder.glob(".new-*"))


def test_nothing_is_readable_on_the_disk(files: Files) -> None:
    files.put("张示例 15400000001".encode() * 50)
    for path in files.folder.rglob("*"):
        if path.is_file():
            assert "张示例".encode() not in path.read_bytes()


def test_every_changed_bit_of_every_byte_is_seen(files: Files) -> None:
    digest = files.put(b"evidence" * 20)
    path = next(path for path in files.folder.rglob("*") if path.is_file())
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (0x01, 0x80):
            body = bytearray(whole)
            body[place] ^= bit
            path.write_bytes(body)
            with pytest.raises(BrokenSeal):
                files.open(digest)
    path.write_bytes(whole + b"\x00")
    with pytest.raises(BrokenSeal):
        files.open(digest)


def test_a_cut_body_and_exchanged_pieces_are_seen(files: Files) -> None:
    digest = files.put(b"a" * (1 << 20) + b"b" * (1 << 20))
    path = next(path for path in files.folder.rglob("*") if path.is_file())
    body = path.read_bytes()
    half = 20 + (len(body) - 20) // 2
    for changed in (body[:half], body[:20] + body[half:] + body[20:half]):
        path.write_bytes(changed)
        with pytest.raises(BrokenSeal):
            files.open(digest)


def test_an_unknown_digest_is_not_found(files: Files) -> None:
    with pytest.raises(NotFound):
        files.open("0" * 64)


def test_a_nearly_full_disk_refuses_before_it_writes(tmp_path: Path) -> None:
    files = Files(tmp_path / "blobs", Vault(b"a secret for tests, 32 bytes or more"), min_free=1 << 60)
    with pytest.raises(LowDisk):
        files.put(b"body")
    assert not list(files.folder.rglob("*"))
