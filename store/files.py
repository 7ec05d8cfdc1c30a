"""Files (原件): bodies by digest on disk, sealed, on the disk before the transaction that names them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from petition.errors import LowDisk, NotFound
from store.vault import BrokenSeal, Vault

# Sealed in pieces so that a 2 GB recording never has to fit into memory.
_PIECE = 1 << 20
_MAGIC = b"XFG1"


class Files:
    """A folder of sealed bodies named by the SHA-256 of their plain bytes; a body once there is never changed.

    min_free: bytes of disk that must stay free; below it `put` refuses with LowDisk (retryable).
    """

    def __init__(self, folder: Path, vault: Vault, min_free: int = 512 << 20) -> None:
        self.folder = folder
        self._vault = vault
        self.min_free = min_free
        folder.mkdir(parents=True, exist_ok=True)

    def check_room(self, size: int = 0) -> None:
        """Raise LowDisk unless `size` bytes fit and the reserve stays free."""
        stat = os.statvfs(self.folder)
        if stat.f_bavail * stat.f_frsize - size < self.min_free:
            raise LowDisk()

    def put(self, body: bytes) -> str:
        """Keep a body; returns its digest after fsync of file and folder."""
        return self._keep(iter([body]) if body else iter(()), len(body))

    def adopt(self, path: Path) -> str:
        """Keep the bytes of a temporary file and remove it; returns the digest."""
        with path.open("rb") as source:
            digest = self._keep(iter(lambda: source.read(_PIECE), b""), path.stat().st_size)
        path.unlink(missing_ok=True)
        return digest

    def open(self, digest: str) -> bytes:
        """The whole plain body; raises NotFound, or BrokenSeal when the bytes on disk are not what was kept."""
        return b"".join(self.pieces(digest))

    def pieces(self, digest: str) -> Iterator[bytes]:
        """The plain body in pieces of at most 1 MiB, each proved by its seal; the digest is proved at the end."""
        path = self._path(digest)
        if not path.is_file():
            raise NotFound("原件不在库中。")
        proof = hashlib.sha256()
        with path.open("rb") as source:
            if source.read(4) != _MAGIC:
                raise BrokenSeal()
            name = source.read(16)
            place = 0
            while head := source.read(4):
                length = int.from_bytes(head, "big")
                sealed = source.read(min(length, 2 * _PIECE))
                if len(sealed) != length:
                    raise BrokenSeal()
                piece = self._vault.open(sealed, name + place.to_bytes(8, "big"))
                proof.update(piece)
                place += 1
                yield piece
        if proof.hexdigest() != digest:
            raise BrokenSeal()

    def has(self, digest: str) -> bool:
        """Whether the body is kept."""
        return self._path(digest).is_file()

    def every(self) -> Iterator[tuple[str, float]]:
        """(digest, when it was last kept, seconds since 1970) of every body."""
        for path in self.folder.glob("??/??/*"):
            try:
                yield path.name, path.stat().st_mtime
            except FileNotFoundError:
                continue

    def unfinished(self) -> Iterator[Path]:
        """Bodies that were being written; old ones were left by a crash."""
        return self.folder.glob(".new-*")

    def remove(self, digest: str) -> None:
        """Remove a body; only the sweep does, after it made sure that nobody names it."""
        self._path(digest).unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest[2:4] / digest

    def _keep(self, pieces: Iterator[bytes], size: int) -> str:
        self.check_room(size)
        proof = hashlib.sha256()
        handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as target:
                name = os.urandom(16)
                target.write(_MAGIC + name)
                for place, piece in enumerate(_cut(pieces)):
                    proof.update(piece)
                    sealed = self._vault.seal(piece, name + place.to_bytes(8, "big"))
                    target.write(len(sealed).to_bytes(4, "big") + sealed)
                target.flush()
                os.fsync(target.fileno())
            digest = proof.hexdigest()
            path = self._path(digest)
            if path.exists():
                os.utime(path)  # young again: the sweep must not take it before its new transaction
            else:
                _make_folders(path.parent, self.folder)
                os.replace(temporary, path)
            # Also for a body that was there: whoever put it may have died before this line.
            _sync_folder(path.parent)
            return digest
        except OSError as problem:
            raise LowDisk() from problem
        finally:
            Path(temporary).unlink(missing_ok=True)


def _cut(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), _PIECE):
            yield piece[start : start + _PIECE]


def _make_folders(folder: Path, top: Path) -> None:
    # A new folder is only there after a crash if its parent was synced too.
    missing = []
    while folder != top and not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        _sync_folder(new.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
