"""Attachments (附件): what came with the words, kept by digest."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AttachmentRole(StrEnum):
    """What the file is to the case."""

    EVIDENCE = "EVIDENCE"  # 佐证材料
    MANDATE = "MANDATE"  # 授权委托书
    SIGNATURES = "SIGNATURES"  # 联名签字页
    ORIGINAL = "ORIGINAL"  # 来件原件
    ENVELOPE = "ENVELOPE"  # 信封邮戳
    RECORDING = "RECORDING"  # 录音录像
    MINUTES = "MINUTES"  # 笔录
    DOCUMENT = "DOCUMENT"  # 办理文书


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One stored file: name as the sender wrote it, type as its bytes say, size in bytes, SHA-256 in hex."""

    name: str
    media_type: str
    size: int
    sha256: str
    role: AttachmentRole = AttachmentRole.EVIDENCE
    confidential: bool = False
