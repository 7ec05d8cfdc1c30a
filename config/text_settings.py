"""Text settings (短信外发设置): how text messages leave the house; part of `config.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

_SIGN_MAX = 12  # signs: longer ones push the text into a third message


class TextSettings(BaseSettings):
    """Settings of text messages to petitioners; without a provider file and without GATEWAY_TWILIO_FROM none leave."""

    sms_provider: Path | None = Field(
        None,
        description=(
            "发短信的接口说明文件(TOML,样例见 docs/sms);与 GATEWAY_TWILIO_FROM 二者取一,都留空则不发短信 / "
            "file that describes the interface of a provider of text messages (samples in docs/sms); "
            "either this or GATEWAY_TWILIO_FROM, neither sends none"
        ),
    )
    sms_secret: SecretStr = Field(
        SecretStr(""),
        description="上述接口的签名密钥 / secret with which requests to that interface are signed",
    )
    sms_sign: str = Field(
        "",
        description=(
            "短信签名,写在【】里的名称,须已在运营商报备;留空用本机关名称 / "
            "signature before each text message, as approved by the operator; empty: the name of the office"
        ),
    )

    @field_validator("sms_sign")
    @classmethod
    def _sign(cls, value: str) -> str:
        value = value.strip().removeprefix("【").removesuffix("】")
        if len(value) > _SIGN_MAX or any(sign in "【】" for sign in value):
            raise ValueError(f"最多 {_SIGN_MAX} 个字,不含【】 (at most {_SIGN_MAX} signs, without 【】)")
        return value
