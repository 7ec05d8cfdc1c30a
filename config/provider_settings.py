"""Provider settings (短信与电话服务商设置): where the provider's own interface is; part of `config.settings`."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

_ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}")
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|MG[0-9a-fA-F]{32}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ProviderSettings(BaseSettings):
    """Settings of the provider (Twilio) of text messages and telephone, read by the channels sms and voice."""

    twilio_account_sid: str = Field(
        "",
        description=(
            "短信和电话服务商(Twilio)的账号,AC 开头;留空则不向服务商取附件、录音和对账 / "
            "account at the provider, begins with AC; empty fetches no media, no recordings and reconciles nothing"
        ),
    )
    twilio_api_url: str = Field(
        "https://api.twilio.com",
        description=(
            "服务商接口的地址;除本机外须为 https / "
            "base address of the provider's interface; https unless it is this host"
        ),
    )
    twilio_media_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("mms.twiliocdn.com", "media.twiliocdn.com"),
        description=(
            "服务商可把附件转到的主机,逗号分隔;去那里取不带账号 / "
            "hosts to which the provider may redirect for media, separated by commas; they get no credentials"
        ),
    )
    twilio_from: str = Field(
        "",
        description=(
            "发出短信的号码或服务编号(MG 开头);留空则不经服务商发短信 / "
            "number or messaging service (MG...) that sends text messages; empty sends none through the provider"
        ),
    )

    twilio_numbers: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description=(
            "本机关在服务商处的号码,逗号分隔,对账只看打给和发给它们的;留空为账号下全部 / "
            "our numbers at the provider, separated by commas, the only ones that are reconciled; "
            "empty: all of the account"
        ),
    )
    twilio_reconcile_seconds: int = Field(
        300,
        ge=0,
        le=86400,
        description=(
            "每隔几秒与服务商的清单对账,补收没有送到的短信和来电;0 为不对账 / "
            "seconds between two reconciliations with the provider's lists, "
            "which bring what no webhook brought; 0: never"
        ),
    )

    @field_validator("twilio_account_sid")
    @classmethod
    def _account(cls, value: str) -> str:
        if value and not _ACCOUNT.fullmatch(value):
            raise ValueError("应为 AC 加32位十六进制 (must be AC and 32 hexadecimal digits)")
        return value

    @field_validator("twilio_from")
    @classmethod
    def _sender_number(cls, value: str) -> str:
        if value and not _SENDER.fullmatch(value):
            raise ValueError("应为 + 开头的号码、短号或 MG 编号 (must be a number in E.164, a short code or MG...)")
        return value

    @field_validator("twilio_numbers", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        if isinstance(value, str):
            value = tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
        for one in value if isinstance(value, tuple | list) else ():
            if not _NUMBER.fullmatch(str(one)):
                raise ValueError(f"{one!r} 不是 + 开头的号码或短号 (is neither a number in E.164 nor a short code)")
        return value

    @field_validator("twilio_api_url")
    @classmethod
    def _api_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            good = bool(parts.hostname) and (parts.port or 1) > 0 and parts.username is None
        except ValueError:
            good = False
        # Basic authentication in the clear would hand the account to whoever listens.
        good = good and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK))
        if not good or parts.query or parts.fragment or re.search(r"\s", value):
            raise ValueError("应为 https://主机[/路径],本机可用 http (must be https://host[/path]; http for this host)")
        return value.rstrip("/")

    @field_validator("twilio_media_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, tuple | list):
            raise ValueError("应为主机名,逗号分隔 (must be names of hosts, separated by commas)")
        hosts = tuple(name for name in (str(one).strip().lower() for one in names) if name)
        for one in hosts:
            if not _HOST.fullmatch(one):
                raise ValueError(f"{one!r} 不是主机名 (is not the name of a host)")
        return hosts
