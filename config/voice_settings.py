"""Voice settings (电话设置): what the telephone door says, whether it recognises speech, and where the seats are."""

from __future__ import annotations

import re

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

_LINE = re.compile(r"\+[0-9]{6,15}|sip:[^\s<>\"]{3,200}")


class VoiceSettings(BaseSettings):
    """Settings of the telephone door, read once the channel voice is open."""

    voice_speech: bool = Field(
        False,
        description=(
            "来电时是否当场把语音识别成文字(由服务商识别);关则录音,由工作人员听 / "
            "whether the provider recognises speech during the call; if not it is recorded and a person listens"
        ),
    )
    voice_speech_language: str = Field(
        "cmn-Hans-CN",
        min_length=2,
        description="语音识别的语言,服务商的写法 / language that is recognised, as the provider names it",
    )
    voice_language: str = Field(
        "zh-CN",
        min_length=2,
        description="播报的语言,服务商的写法 / language that is spoken, as the provider names it",
    )
    voice_name: str = Field(
        "",
        description="播报的嗓音,服务商的写法;留空用默认 / voice that speaks, as the provider names it; empty: default",
    )
    seat_line: str = Field(
        "",
        description=(
            "转人工时拨打的坐席线路,+86 开头的号码或 sip:地址;留空则不转接 / "
            "where callers are put through to the seats, a number with + or sip:...; empty puts nobody through"
        ),
    )
    voice_quiet: float = Field(
        600.0,
        ge=60,
        le=86400,
        description=(
            "来电多少秒没有动静就登记已说的内容 / seconds a call may stand still before what it said is entered"
        ),
    )

    @field_validator("seat_line")
    @classmethod
    def _line(cls, value: str) -> str:
        if value and not _LINE.fullmatch(value):
            raise ValueError(f"{value!r} 应为 +号码 或 sip:地址 (must be a number with + or sip:...)")
        return value
