"""Lobby settings (大厅设置): the fax machine; part of `config.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class LobbySettings(BaseSettings):
    """Settings of the machines that stand in the office."""

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
