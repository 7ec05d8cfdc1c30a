"""Lobby settings (大厅设置): terminals and the fax machine; part of `config.settings`."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class LobbySettings(BaseSettings):
    """Settings of the machines that stand in the office."""

    kiosk: Annotated[tuple[Network, ...], NoDecode] = Field(
        (),
        description=(
            "自助机的地址或网段,逗号分隔;留空则任何浏览器打开 /kiosk 都可以成为自助机 / "
            "addresses or networks of self-service terminals, separated by commas; empty: any browser that opens /kiosk"
        ),
    )
    fax_inbox: Path | None = Field(
        None,
        description=(
            "传真收件文件夹,启用 fax 渠道后轮询;留空为数据文件夹里的 fax/inbox / "
            "folder the fax machine writes to, polled once the channel fax is open; empty: fax/inbox in the data folder"
        ),
    )
    fax_names: str = Field(
        "auto",
        description=(
            "传真文件名的命名规则(见 fax.toml),auto 依次尝试全部 / "
            "named pattern of fax file names as in fax.toml; auto tries all of them"
        ),
    )

    @field_validator("kiosk", mode="before")
    @classmethod
    def _terminals(cls, value: object) -> object:
        given = value.split(",") if isinstance(value, str) else value
        try:
            return tuple(
                ipaddress.ip_network(str(each).strip(), strict=False)
                for each in given  # type: ignore[attr-defined]
                if str(each).strip()
            )
        except (TypeError, ValueError):
            raise ValueError(
                "应为地址或网段,例如 10.0.0.0/8 (must be addresses or networks such as 10.0.0.0/8)"
            ) from None
