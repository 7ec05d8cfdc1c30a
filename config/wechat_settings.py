"""WeChat settings (微信设置): the official account and the platform's interfaces; part of `config.settings`."""

from __future__ import annotations

import base64
import re
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

_KEY = re.compile(r"[0-9A-Za-z+/]{43}")


class WechatSettings(BaseSettings):
    """Settings of the channel wechat, read only when it is open."""

    wechat_token: SecretStr = Field(
        SecretStr(""),
        description=(
            "微信公众号“服务器配置”的令牌(Token);留空则所有消息都待人工核实 / "
            "token of the official account's server configuration; without it every message waits for a person"
        ),
    )
    wechat_app_id: str = Field(
        "",
        pattern=r"^[0-9A-Za-z_-]{0,64}$",
        description="微信公众号的 AppID,安全模式和调用接口时需要 / AppID, for encrypted messages and the interfaces",
    )
    wechat_app_secret: SecretStr = Field(
        SecretStr(""),
        description=(
            "微信公众号的 AppSecret;留空则不取图片语音原件、不发客服消息 / "
            "AppSecret; without it no files are fetched and no customer service messages sent"
        ),
    )
    wechat_aes_key: SecretStr = Field(
        SecretStr(""),
        description=(
            "消息加解密密钥 EncodingAESKey(43位),请用安全模式;留空为明文模式 / "
            "EncodingAESKey, 43 signs, for encrypted messages, which is what to use; empty: plain messages"
        ),
    )
    wechat_api_url: str = Field(
        "https://api.weixin.qq.com",
        description="微信接口的网址 / base address of the platform's interfaces",
    )

    @field_validator("wechat_aes_key")
    @classmethod
    def _aes_key(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value()
        if key and (not _KEY.fullmatch(key) or len(base64.b64decode(key + "=")) != 32):
            raise ValueError("EncodingAESKey 应为43位字母和数字 (must have 43 signs of base 64)")
        return value

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if self.wechat_aes_key.get_secret_value() and not self.wechat_app_id:
            raise ValueError("GATEWAY_WECHAT_AES_KEY 需要同时设 GATEWAY_WECHAT_APP_ID (needs the AppID too)")
        return self

    @field_validator("wechat_api_url")
    @classmethod
    def _api_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{value!r} 不是网址 (is not an address)")
        return value.rstrip("/")
