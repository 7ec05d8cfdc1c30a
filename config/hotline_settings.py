"""Hotline settings (热线设置): where the 12345 platform is told of what became of its orders; part of `settings`."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class HotlineSettings(BaseSettings):
    """Settings of the bridge to 12345; checked together with those of the routing system."""

    hotline_url: str = Field(
        "",
        repr=False,
        description=(
            "12345 平台接收办理状态的网址;留空则不回传 / "
            "where the 12345 platform takes status events of its orders; empty tells it nothing"
        ),
    )
    hotline_secret: SecretStr = Field(
        SecretStr(""),
        description=(
            "与 12345 平台约定的签名密钥,whsec_ 加 base64 / "
            "Standard Webhooks secret shared with the 12345 platform, whsec_ and base64"
        ),
    )
