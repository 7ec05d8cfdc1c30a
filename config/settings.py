"""Settings (设置): every switch of the house, read from the environment (GATEWAY_...) or a TOML file, and checked."""

from __future__ import annotations

import base64
import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import ByteSize, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from config.address import Address, read_address
from config.apikey import ApiKey, read_api_key
from config.channel_settings import ChannelSettings
from config.complaint import BadSettings, complaint
from config.provider_settings import ProviderSettings
from config.text_settings import TextSettings
from config.wechat_settings import WechatSettings

PREFIX = "GATEWAY_"
CONFIG = f"{PREFIX}CONFIG"  # names the file of --config, for processes that have no such option

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DATABASES = ("sqlite", "postgresql+psycopg")
_BROKERS = ("memory", "redis", "rediss", "amqp", "amqps")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class Settings(ChannelSettings, ProviderSettings, TextSettings, WechatSettings):
    """All settings. Immutable; the composition roots read them once and pass on what each part needs."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    data: Path = Field(
        Path("./var"),
        description="数据文件夹:数据库、原件、密钥 / folder of the database, the originals and the key",
    )
    http: str = Field(
        "127.0.0.1:8080",
        description="网页和接口的监听地址,主机:端口 / address of pages and API, host:port",
    )
    public_url: str = Field(
        "http://127.0.0.1:8080",
        min_length=1,
        description=(
            "群众看到的网址,用于回执和二维码;https 时会话只走加密连接 / "
            "the address people see, in receipts and QR codes; with https, cookies are sent over TLS only"
        ),
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        (),
        description=(
            "可信反向代理的地址或网段,逗号分隔;只采信它们的 X-Forwarded-For / "
            "addresses or networks of reverse proxies whose X-Forwarded-For is believed, separated by commas"
        ),
    )
    database_url: str = Field(
        "",
        repr=False,
        description=(
            "数据库地址;留空为数据文件夹里的 SQLite,或 postgresql+psycopg://... / "
            "empty for SQLite in the data folder, or postgresql+psycopg://..."
        ),
    )
    broker_url: str = Field(
        "memory://",
        repr=False,
        description=(
            "Celery 消息通道:memory://(内置)、redis://... 或 amqp://... / Celery broker: built in, Redis or AMQP"
        ),
    )
    routing_url: str = Field(
        "",
        repr=False,
        description=(
            "外部转送系统的网址;留空则由本系统内的办理台接收 / "
            "address of the external routing system; empty hands petitions to the desk in this house"
        ),
    )
    routing_secret: SecretStr = Field(
        SecretStr(""),
        description=(
            "与转送系统约定的签名密钥,whsec_ 加 base64 / "
            "Standard Webhooks secret shared with the routing system, whsec_ and base64"
        ),
    )
    routing_timeout: float = Field(
        2.0,
        gt=0,
        le=60,
        description="等待转送系统应答的秒数 / seconds to wait for the routing system's answer",
    )
    channels: Annotated[tuple[str, ...], NoDecode] = Field(
        ("web", "rest"),
        description="开放的渠道,逗号分隔 / the channels that are open, separated by commas",
    )
    api_keys: Annotated[tuple[ApiKey, ...], NoDecode] = Field(
        (),
        repr=False,
        description=(
            "接口密钥,写作 名称:密钥,逗号分隔,密钥至少16个字符 / "
            "API keys as name:key, separated by commas, each key at least 16 characters"
        ),
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description=(
            "封存身份信息的主密钥,至少32个字符;留空则首次启动时在数据文件夹生成 secret.key / "
            "master key that seals identity data, at least 32 characters; empty makes secret.key in the data "
            "folder at the first start"
        ),
    )
    region: str = Field(
        "620000",
        description="本机关的行政区划代码,6位 / code of the office's own region, 6 digits",
    )
    office_name: str = Field(
        "", description="本机关名称;留空用 office.toml 的 / name of the office; empty as in the data"
    )
    office_address: str = Field(
        "", description="来访接待地址;留空用 office.toml 的 / address of the reception; empty as in the data"
    )
    office_phone: str = Field("", description="咨询电话;留空用 office.toml 的 / its telephone; empty as in the data")
    office_hours: str = Field("", description="接待时间;留空用 office.toml 的 / opening hours; empty as in the data")
    notice_version: str = Field(
        "2026-11",
        min_length=1,
        description="个人信息处理告知书版本,随同意记录保存 / version of the consent notice, kept with each consent",
    )
    rate_per_minute: int = Field(
        300,  # one petition is some fifteen pages, and a whole village may share one address
        ge=1,
        description="每个地址每分钟可提交的次数 / submissions a minute from one address",
    )
    max_body: ByteSize = Field(
        ByteSize(1 << 20),
        ge=1 << 10,
        description="一次请求正文上限,不含附件 / largest request body without files",
    )
    max_upload: ByteSize = Field(
        ByteSize(50 << 20),
        ge=1 << 10,
        description="一个附件的上限 / largest single file",
    )
    reading: Literal["auto", "inline", "deferred"] = Field(
        "auto",
        description=(
            "何时读文(识别地区、分类等):auto 忙时交后台,inline 当场,deferred 总交后台 / "
            "when texts are read: at the door while there is time, always there, or always by the worker"
        ),
    )
    queue_limit: int = Field(
        5000,
        ge=1,
        description="等待写入的上限,超过即答 503 / writes that may wait; beyond it the answer is 503",
    )
    min_free: ByteSize = Field(
        ByteSize(512 << 20),
        ge=0,
        description=(
            "磁盘须保留的空间,低于此数拒收新件 / disk that must stay free; below it new petitions are refused"
        ),
    )
    drain_seconds: float = Field(
        8.0,
        gt=0,
        le=60,
        description="停止时等待在办请求的秒数 / seconds given to open requests at a stop",
    )
    log_level: str = Field(
        "INFO",
        description="日志级别:DEBUG、INFO、WARNING、ERROR / how much is logged",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment; nothing is read from files that nobody named."""
        return init_settings, env_settings

    @field_validator("http", "smtp")
    @classmethod
    def _address(cls, value: str) -> str:
        return str(read_address(value))

    @field_validator("public_url", "routing_url", "hotline_url")
    @classmethod
    def _web_url(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            good = False
        if not good or parts.query or parts.fragment or re.search(r"\s", value):
            raise ValueError("应为 http(s)://主机[/路径],不带 ? 和 # (must be http(s)://host[/path] without ? and #)")
        return value.rstrip("/")

    @field_validator("database_url", "broker_url")
    @classmethod
    def _scheme(cls, value: str, info: Any) -> str:
        known = _DATABASES if info.field_name == "database_url" else _BROKERS
        if value and value.partition("://")[0] not in known:
            ways = "、".join(f"{scheme}://" for scheme in known)
            raise ValueError(f"应以 {ways} 开头 (must begin with one of these)")
        return value

    @field_validator("channels")
    @classmethod
    def _channels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("至少要开放一个渠道 (at least one channel must be open)")
        for name in value:
            if not re.fullmatch("[a-z][a-z0-9_]{0,31}", name):
                raise ValueError(f"{name!r} 不是渠道名 (is not the name of a channel)")
        if len(set(value)) != len(value):
            raise ValueError("渠道重复 (a channel stands twice)")
        return value

    @field_validator("api_keys", mode="before")
    @classmethod
    def _api_keys(cls, value: object) -> object:
        if not isinstance(value, tuple | list):
            raise ValueError("应写作 名称:密钥,逗号分隔 (must be name:key, separated by commas)")
        keys = tuple(entry if isinstance(entry, ApiKey) else read_api_key(str(entry)) for entry in value)
        if len({entry.name for entry in keys}) != len(keys):
            raise ValueError("密钥名称重复 (a name stands twice)")
        return keys

    @field_validator("secret_key")
    @classmethod
    def _secret_key(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and (len(text) < 32 or len(set(text)) < 8):
            raise ValueError("至少32个字符,且不能是简单重复 (at least 32 characters and no mere repetition)")
        return value

    @field_validator("routing_secret", "hotline_secret")
    @classmethod
    def _routing_secret(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        try:
            size = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
        except ValueError:
            size = 0
        if text and size < 24:
            raise ValueError("应为 whsec_ 加 base64,至少24字节 (must be whsec_ and base64 of at least 24 bytes)")
        return value

    @field_validator("region")
    @classmethod
    def _region(cls, value: str) -> str:
        if not re.fullmatch("[1-9][0-9]{5}", value):
            raise ValueError("应为6位行政区划代码 (must be a region code of 6 digits)")
        return value

    @field_validator("log_level")
    @classmethod
    def _log_level(cls, value: str) -> str:
        if value.upper() not in _LEVELS:
            raise ValueError(f"应为 {'、'.join(_LEVELS)} 之一 (must be one of these)")
        return value.upper()

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        try:
            return tuple(ipaddress.ip_network(each, strict=False) for each in value)  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            raise ValueError(
                "应为地址或网段,例如 10.0.0.0/8 (must be addresses or networks such as 10.0.0.0/8)"
            ) from None

    @field_validator("trusted_proxies", "channels", "api_keys", "mail_addresses", "mail_trusted", mode="before")
    @classmethod  # the last before-validator is the first to run
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        for name in ("routing", "hotline"):
            if getattr(self, f"{name}_url") and not getattr(self, f"{name}_secret").get_secret_value():
                url, secret = f"{PREFIX}{name.upper()}_URL", f"{PREFIX}{name.upper()}_SECRET"
                raise ValueError(f"{secret}: 设置了 {url} 就必须设置 (must be set together with {url})")
        return self

    @property
    def http_address(self) -> Address:
        """Where the pages and the API listen."""
        return read_address(self.http)

    @property
    def database(self) -> str:
        """The URL of the database in use; SQLite in the data folder unless another one is set."""
        return self.database_url or f"sqlite:///{self.data / 'gateway.db'}"

    @property
    def over_tls(self) -> bool:
        """Whether people reach the house by https."""
        return self.public_url.startswith("https://")


def load(file: Path | None = None) -> Settings:
    """The settings from the environment, then the TOML file, then the defaults; raises `BadSettings`.

    The environment wins over the file, so that a container may change one value without a file of its own.
    """
    given: dict[str, Any] = {}
    if file is not None:
        try:
            given = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise BadSettings((f"{file}: 无法读取设置文件 (the settings file cannot be read): {problem}",)) from None
    from_environment = {name.upper() for name, value in os.environ.items() if value}
    wanted = {name: value for name, value in given.items() if PREFIX + name.upper() not in from_environment}
    try:
        return Settings(**wanted)
    except ValidationError as problem:
        raise BadSettings(tuple(complaint(error, PREFIX) for error in problem.errors(include_url=False))) from None


def unknown(environ: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each GATEWAY_ variable that is no setting, with the nearest name: a slip is not silent."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    sentences = []
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            hint = f",是不是 {near[0]} (did you mean {near[0]})" if near else ""
            sentences.append(f"{name}: 没有这项设置,已忽略 (no such setting, ignored){hint}")
    return tuple(sentences)
