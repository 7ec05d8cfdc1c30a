"""Channel settings (渠道设置): what the doors of e-mail and text messages need to know; part of `config.settings`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import ByteSize, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from config.address import Address, read_address
from config.hotline_settings import HotlineSettings
from config.lobby_settings import LobbySettings
from config.voice_settings import VoiceSettings

_MAILBOX = re.compile(r"[^\s@<>,;:\"\\]{1,64}@[a-z0-9.-]{1,253}(=[^:,]{1,60})?")


class ChannelSettings(LobbySettings, VoiceSettings, HotlineSettings):
    """Settings of single channels. Each is read only when its channel is open."""

    smtp: str = Field(
        "127.0.0.1:8025",
        description=(
            "邮件渠道的监听地址,启用 email 渠道后生效 / address of the mail door, used once the channel email is open"
        ),
    )
    mail_addresses: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description=(
            "本机关的收信地址,逗号分隔,可写作 地址=来源说明;留空则收下寄到任何地址的邮件 / "
            "our mailboxes, separated by commas, each address or address=note on its origin; empty takes every one"
        ),
    )
    mail_max: ByteSize = Field(
        ByteSize(30 << 20),
        ge=64 << 10,
        description="一封邮件的上限,超过即答 552 / largest mail; beyond it the answer is 552",
    )
    mail_certificate: Path | None = Field(
        None,
        description="邮件渠道 STARTTLS 的证书文件(PEM,含私钥或另设) / certificate file of STARTTLS, PEM",
    )
    mail_key: Path | None = Field(
        None,
        description="上述证书的私钥文件;留空则在证书文件里 / its key file; empty: in the certificate file",
    )
    mail_trusted: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description=(
            "本单位邮件网关在 Authentication-Results 里的名称,逗号分隔;只记录它们的 SPF/DKIM/DMARC 结果 / "
            "names of our own mail relays in Authentication-Results; only their SPF, DKIM and DMARC results are kept"
        ),
    )
    mail_relay: str = Field(
        "",
        description=(
            "发出回执邮件的 SMTP 服务器,主机:端口;留空则不发 / "
            "SMTP server for acknowledgements, host:port; empty sends none"
        ),
    )
    mail_from: str = Field(
        "",
        description="回执邮件的发件地址;留空用第一个收信地址 / sender of acknowledgements; empty: our first mailbox",
    )
    twilio_auth_token: SecretStr = Field(
        SecretStr(""),
        description=(
            "短信服务商(Twilio)的签名密钥;留空则所有短信都待人工核实 / "
            "secret that signs the webhooks of text messages; without it every message waits for a person"
        ),
    )

    themes: Path | None = Field(
        None,
        description=(
            "主题渠道的文件夹(每个主题一个 TOML);留空为数据文件夹里的 themes / "
            "folder of theme channels, one TOML file each; empty is themes in the data folder"
        ),
    )

    @field_validator("mail_addresses")
    @classmethod
    def _mailboxes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        lowered = tuple(_lowered(one) for one in value)
        for one in lowered:
            if not _MAILBOX.fullmatch(one):
                raise ValueError(f"{one!r} 不是邮箱地址 (is not a mailbox)")
        return lowered

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if value and (not _MAILBOX.fullmatch(_lowered(value)) or "=" in value):
            raise ValueError(f"{value!r} 不是邮箱地址 (is not a mailbox)")
        return _lowered(value)

    @field_validator("mail_relay")
    @classmethod
    def _relay(cls, value: str) -> str:
        return str(read_address(value)) if value else ""

    @property
    def smtp_address(self) -> Address:
        """Where the mail door listens."""
        return read_address(self.smtp)

    @property
    def mailboxes(self) -> dict[str, str]:
        """Our addresses, lower case, and what mail to each one is noted with (its theme or office)."""
        return dict(_split(one) for one in self.mail_addresses)

    @property
    def mail_sender(self) -> str:
        """Who signs acknowledgements: empty if nobody can."""
        return self.mail_from or next(iter(self.mailboxes), "")


def _lowered(mailbox: str) -> str:
    address, mark, note = mailbox.partition("=")
    return address.strip().lower() + mark + note.strip()


def _split(mailbox: str) -> tuple[str, str]:
    address, _, note = mailbox.partition("=")
    return address, note
