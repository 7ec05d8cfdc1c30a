"""Messages (微信消息): one message or event of the platform, read; what it says in words a person can read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from channels.web import UNSEEN

_ID = re.compile(r"[0-9]{1,24}")
_OPENID = re.compile(r"[0-9A-Za-z_-]{6,64}")
_MEDIA_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")
_NUMBER = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,12})?")
_EVENT = re.compile(r"[a-z_]{1,40}")
_ORIGIN = re.compile(r"(?:qrscene_)?origin[=:]([0-9A-Za-z_-]{1,64})")


class Kind(NamedTuple):
    """What a kind of media is called, and how its file is named."""

    words: str
    ending: str
    media_type: str


MEDIA: Mapping[str, Kind] = MappingProxyType(
    {
        "image": Kind("图片", "jpg", "image/jpeg"),
        "voice": Kind("语音", "amr", "audio/amr"),
        "video": Kind("视频", "mp4", "video/mp4"),
        "shortvideo": Kind("小视频", "mp4", "video/mp4"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. fields: as `wechat_envelope.fields_of` read them; raw: the XML they stand in."""

    fields: Mapping[str, str]
    raw: bytes

    def _field(self, name: str) -> str:
        return self.fields.get(name, "")

    @property
    def openid(self) -> str:
        """Who writes, as the platform names the person to this account only; empty if it can be none."""
        found = self._field("FromUserName").strip()
        return found if _OPENID.fullmatch(found) else ""

    @property
    def account(self) -> str:
        """The account that was written to."""
        return self._field("ToUserName").strip()

    @property
    def kind(self) -> str:
        """MsgType in lower case."""
        return self._field("MsgType").strip().lower()

    @property
    def event(self) -> str:
        """The event in lower case, empty for a message."""
        if self.kind != "event":
            return ""
        found = self._field("Event").strip().lower()
        return found if _EVENT.fullmatch(found) else "other"

    @property
    def raw_id(self) -> str:
        """MsgId; an event has none and is told by sender, moment and what happened (platform: FromUserName +
        CreateTime), of which only a digest is shown."""
        found = self._field("MsgId").strip()
        if self.kind != "event" and _ID.fullmatch(found):
            return found
        told = ("FromUserName", "CreateTime", "Event", "EventKey")
        parts = [self._field(name) for name in told] if self.kind == "event" else [self.raw.hex()]
        name = "event" if self.kind == "event" else "message"
        return f"{name}:{hashlib.sha256(chr(31).join(parts).encode('utf-8', 'replace')).hexdigest()[:40]}"

    @property
    def text(self) -> str:
        """What was typed, or the key of the menu that was pressed; without signs that hide or turn text."""
        found = self._field("EventKey") if self.event == "click" else self._field("Content")
        return _clean(found) if self.kind == "text" or self.event == "click" else ""

    @property
    def origin(self) -> str:
        """The code of the place whose QR code was scanned (`origin=CODE`), or empty."""
        found = _ORIGIN.fullmatch(self._field("EventKey").strip()) if self.event in ("subscribe", "scan") else None
        return found[1].upper() if found else ""

    @property
    def media_id(self) -> str:
        """By which the platform gives out the file, or empty."""
        found = self._field("MediaId").strip()
        return found if self.kind in MEDIA and _MEDIA_ID.fullmatch(found) else ""

    @property
    def place(self) -> str:
        """A location message as words and coordinates (latitude, longitude; GCJ-02), or empty."""
        if self.kind != "location":
            return ""
        north, east = self._field("Location_X").strip(), self._field("Location_Y").strip()
        known = bool(_NUMBER.fullmatch(north) and _NUMBER.fullmatch(east))
        where = f"北纬{north}，东经{east}" if known else ""
        label = _clean(self._field("Label"))
        return f"{label}（{where}）" if label and where else label or where

    @property
    def words(self) -> str:
        """What it says, for an officer to read; empty for events and for what says nothing."""
        match self.kind:
            case "text":
                return self.text
            case "location":
                return f"位置：{self.place}" if self.place else ""
            case "link":
                parts = (_clean(self._field(name)) for name in ("Title", "Description", "Url"))
                told = "\n".join(part for part in parts if part)
                return f"链接：{told}" if told else ""
            case kind if kind in MEDIA:
                heard = _clean(self._field("Recognition")) if kind == "voice" else ""
                name = f"{MEDIA[kind].words}，媒体编号{self.media_id}" if self.media_id else MEDIA[kind].words
                return f"{heard}\n（以上为机器识别的语音文字，请听原声核对；{name}）" if heard else f"（{name}）"
            case "" | "event":
                return ""
        return f"（微信消息，类型{re.sub(r'[^0-9a-z_]', '', self.kind)[:30]}，内容见原件）"


def _clean(words: str) -> str:
    return UNSEEN.sub("", words.replace("\r\n", "\n")).strip()
