"""The telephone (电话设置): what the voice door is set to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Telephone:
    """What the voice door is set to. office: how the house introduces itself; notice: version of the privacy notice;
    speech: whether speech is recognised while the caller waits, else it is recorded; voice, language: of what is
    spoken, the provider's names; speech_language: of what is recognised; seat_line: where seats are reached, a number
    in E.164 or sip:..., empty for none; quiet: how long a call may stand still before it counts as ended."""

    office: str = "信访局"
    notice: str = ""
    speech: bool = False
    voice: str = ""
    language: str = "zh-CN"
    speech_language: str = "cmn-Hans-CN"
    seat_line: str = ""
    quiet: timedelta = timedelta(minutes=10)
