"""The envelope (微信信封): signature, AES and XML in which the WeChat platform wraps what it sends.

Official account platform, "消息加解密说明" and "接入指南": signature = SHA-1 over the sorted, joined token, timestamp,
nonce (and the cipher text in msg_signature); cipher text = AES-256-CBC, IV = first half of the key, over
16 random bytes + length (4 bytes, network order) + message + AppID, padded to 32 bytes as PKCS #7 does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from xml.parsers import expat

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from petition.errors import Unreadable

_BLOCK = 32  # the platform pads to 32 bytes, not to AES's 16
_HEAD = 16  # random bytes before the length
_DEEPEST, _MOST = 4, 300  # levels and elements: the platform's own messages have two levels and some thirty
# What XML 1.0 forbids, yet comes in what people paste.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def signature(*parts: str) -> str:
    """The platform's signature over these parts."""
    return hashlib.sha1("".join(sorted(parts)).encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()


def signed(given: str, *parts: str) -> bool:
    """Whether a signature fits, compared in constant time."""
    return hmac.compare_digest(signature(*parts).encode(), given.encode("utf-8", "surrogateescape"))


@dataclass(frozen=True, slots=True)
class Cipherer:
    """Opens and seals messages of one account. key: 32 bytes (EncodingAESKey, decoded)."""

    key: bytes
    app_id: str

    def open(self, encrypted: str) -> bytes:
        """The message in a cipher text; Unreadable if it was not made with our key for our account."""
        try:
            sealed = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable() from None
        if not sealed or len(sealed) % _BLOCK:
            raise Unreadable()
        decryptor = self._cipher().decryptor()
        plain = decryptor.update(sealed) + decryptor.finalize()
        padding = plain[-1]
        if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
            raise Unreadable()
        body = plain[_HEAD:-padding]
        length = int.from_bytes(body[:4], "big")
        if len(body) < 4 or length > len(body) - 4:
            raise Unreadable()
        message, owner = body[4 : 4 + length], body[4 + length :]
        if not hmac.compare_digest(owner, self.app_id.encode()):
            raise Unreadable()
        return message

    def seal(self, message: bytes, head: bytes = b"") -> str:
        """The cipher text of a message. head: 16 random bytes, made here unless a test gives them."""
        plain = (head or secrets.token_bytes(_HEAD)) + len(message).to_bytes(4, "big") + message + self.app_id.encode()
        padding = _BLOCK - len(plain) % _BLOCK
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self.key), modes.CBC(self.key[:16]))


def fields_of(body: bytes) -> dict[str, str]:
    """The leaves of a message by name, those deeper down as Outer.Inner; Unreadable for what is no such message.

    A document type is refused, so there are no entities to be expanded or fetched (XXE, billion laughs).
    """
    try:
        return _Leaves().read(body)
    except (expat.ExpatError, LookupError, ValueError):
        pass
    try:  # a sign that XML forbids is no reason to lose the words around it
        return _Leaves().read(_FORBIDDEN.sub("\ufffd", body.decode("utf-8", "replace")).encode())
    except (expat.ExpatError, LookupError, ValueError):
        raise Unreadable() from None


class _Leaves:
    """Reads one small document into its leaves."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}
        self._path: list[str] = []
        self._words: list[str] = []
        self._count = 0

    def read(self, body: bytes) -> dict[str, str]:
        """The leaves; ValueError or ExpatError."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._no_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._words.append
        parser.Parse(body, True)
        return self._found

    def _no_doctype(self, *_: object) -> None:
        raise ValueError("a document type")

    def _start(self, name: str, _: object) -> None:
        self._path.append(name)
        self._count += 1
        self._words.clear()
        if len(self._path) > _DEEPEST or self._count > _MOST:
            raise ValueError("too deep or too many")

    def _end(self, _: str) -> None:
        name = ".".join(self._path[1:])
        if name and "".join(self._words).strip():
            self._found.setdefault(name, "".join(self._words).strip("\r\n"))
        self._words.clear()
        self._path.pop()


def xml_of(fields: dict[str, str]) -> bytes:
    """A flat message as the platform reads it."""
    inner = "".join(f"<{name}>{_cdata(words)}</{name}>" for name, words in fields.items())
    return f"<xml>{inner}</xml>".encode()


def _cdata(words: str) -> str:
    return "<![CDATA[" + _FORBIDDEN.sub("", words).replace("]]>", "]]]]><![CDATA[>") + "]]>"
