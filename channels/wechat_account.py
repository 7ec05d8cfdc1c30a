"""The account (公众号): what a WeChat official account is set to, and the platform's interfaces that the door calls."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from channels.wechat_envelope import Cipherer
from petition.arrival import Upload
from petition.errors import Unavailable


class Platform(Protocol):
    """What the door asks of the platform."""

    async def media(self, media_id: str, name: str, spool: Path, most: int) -> Upload:
        """The file of a message, at most `most` bytes, as a temporary file in `spool`.

        Unavailable: again later; NotFound: it is gone for good; TooLarge.
        """
        ...

    async def tell(self, openid: str, words: str) -> None:
        """A customer service message (客服消息), possible within 48 hours after the person wrote.

        Unavailable: again later; Invalid: never.
        """
        ...


class NoPlatform:
    """The null twin: an account whose interfaces may not be called."""

    async def media(self, media_id: str, name: str, spool: Path, most: int) -> Upload:
        """Nothing is fetched."""
        raise Unavailable()

    async def tell(self, openid: str, words: str) -> None:
        """Nothing is sent."""
        raise Unavailable()


def nowhere(code: str) -> str:
    """The null twin of a register of sites."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialAccount:
    """token: signs; aes_key: EncodingAESKey, 43 signs, empty for plain messages; office: its name;
    place: what a site's code stands for, or empty."""

    token: SecretStr = field(default_factory=lambda: SecretStr(""))
    app_id: str = ""
    aes_key: SecretStr = field(default_factory=lambda: SecretStr(""))
    platform: Platform = field(default_factory=NoPlatform)
    office: str = "信访局"
    place: Callable[[str], str] = nowhere

    @property
    def cipherer(self) -> Cipherer | None:
        """What opens and seals; None where messages are plain."""
        key = self.aes_key.get_secret_value()
        return Cipherer(base64.b64decode(key + "="), self.app_id) if key else None
