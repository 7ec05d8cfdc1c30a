"""The vault (密封): sealing at rest, keyed look-up codes and message codes, all from SECRET_KEY."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from petition.errors import PetitionError

_VERSION = b"\x01"  # of the sealed form: version, 12-byte nonce, ciphertext with 16-byte tag
_NONCE = 12


class BrokenSeal(PetitionError):
    """Sealed bytes do not open: changed, cut, moved to another place, or sealed with another key."""

    code = "broken_seal"
    words = "记录的密封校验没有通过，请联系系统管理员。"


class Chance(threading.local):
    """Random bytes of the system, fetched some hundred at a time by each thread: one call instead of many."""

    def __init__(self) -> None:
        self._bytes = b""
        self._place = 0

    def take(self, count: int) -> bytes:
        """Bytes nobody was given before; count at most 64."""
        if self._place + count > len(self._bytes):
            self._bytes, self._place = os.urandom(1024), 0
        taken = self._bytes[self._place : self._place + count]
        self._place += count
        return taken


class Vault:
    """AES-256-GCM sealing (RFC 5116) and keyed BLAKE2b codes (RFC 7693) under keys derived by HKDF (RFC 5869).

    BLAKE2b and not HMAC, because Python gives up the interpreter lock for every HMAC, and at a crowded door each
    time costs more than the code itself.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("SECRET_KEY must give at least 32 bytes")
        self._aead = AESGCM(_derive(secret, b"seal"))
        self._index = _derive(secret, b"index")
        self._mac = _derive(secret, b"mac")
        self._chance = Chance()

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """The sealed form; `context` ties it to its place and must be given again to open it."""
        nonce = self._chance.take(_NONCE)
        return _VERSION + nonce + self._aead.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plain bytes; raises `BrokenSeal` if anything was changed."""
        if sealed[:1] != _VERSION:
            raise BrokenSeal()
        try:
            return self._aead.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], context)
        except InvalidTag:
            raise BrokenSeal() from None

    def index(self, kind: str, value: str) -> bytes:
        """A 16-byte look-up code for an exact value; without the key it tells nothing about the value."""
        return hashlib.blake2b(f"{kind}\x1f{value}".encode(), key=self._index, digest_size=16).digest()

    def mac(self, purpose: str, message: bytes) -> bytes:
        """A 32-byte message code bound to a purpose."""
        return hashlib.blake2b(purpose.encode() + b"\x1f" + message, key=self._mac, digest_size=32).digest()

    def new_id(self) -> bytes:
        """16 random bytes."""
        return self._chance.take(16)

    def same(self, purpose: str, message: bytes, code: bytes) -> bool:
        """Whether the code belongs to the message, compared in constant time."""
        return hmac.compare_digest(self.mac(purpose, message), code)


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=b"xinfang-gateway/" + purpose).derive(secret)


def digest_of(body: bytes) -> str:
    """SHA-256 in hex: the name of a stored body."""
    return hashlib.sha256(body).hexdigest()
