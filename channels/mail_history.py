"""邮件往来 The history of a mail: quoted letters and the signature, apart from what is new."""

from __future__ import annotations

import re

from channels.mail_text import Check

_FORWARD = re.compile(r"[>\s]*(?:-{2,}\s*(?:forwarded|转发)|begin forwarded message|-{2,}\s*轉寄)", re.I)
_ORIGINAL = re.compile(
    r"(?i)\s*[-_]{2,}[\s|]*(?:原始邮件|原邮件|原始郵件|原始信件|邮件原件|回复的(?:原)?邮件"
    r"|original message|reply message)[\s|]*[-_]*\s*$"
)
# Lower case; a text with none of these has no history: most have none, and are not read line by line.
_SIGNS = (
    *(">", "forwarded", "转发", "轉寄", "发件人", "寄件者", "寄件人", "from", "写道", "寫道", "wrote", "写了"),
    *("原始邮件", "原邮件", "原始郵件", "原始信件", "邮件原件", "的邮件", "original message", "reply message"),
)
_WROTE = re.compile(r".{0,200}(?:写道|寫道|wrote|写了)\s*[:：]\s*$", re.I)
_WROTE_BEGINS = re.compile(r"\s*(?:在|于|於|on\b|at\b|\d{4}\s*[-/年]|.{1,80}(?:于|於|在)\s*\d{4}\s*[-/年])", re.I)
_FROM = re.compile(r"\s*\**(?:发件人|寄件者|寄件人|from)\**\s*[:：]", re.I)
_FIELD = re.compile(
    r"(?i)\s*\**(?:发送时间|发送日期|日期|时间|收件人|抄送|主题|寄件日期|收件者|主旨|sent|date|to|cc|subject)\**\s*[:：]"
)
_MOBILE = re.compile(
    r"(?i)\s*(?:发自我的.{1,24}|[发來来]自.{0,14}(?:手机|iphone|ipad|邮箱|mail|客户端).{0,10}"
    r"|sent from (?:my|mail).{1,40}|get outlook for .{1,20})\s*$"
)
SIGNATURE_LINES = 12  # what is longer below "-- " is rather a letter than a signature


def split_history(text: str, answers: bool, check: Check) -> tuple[str, str]:
    """(what is new, the quoted history), both as they were written.

    answers: it refers to another mail; only then a line with ">" alone is history, else the writer may quote a law.
    What is forwarded is not cut: its sender brings it. If nothing new is left, all is text.
    """
    check()
    lowered = text.lower()
    if not any(sign in lowered for sign in _SIGNS):
        return text.strip(), ""
    lines = text.split("\n")
    new, old, at = list[str](), list[str](), 0
    while at < len(lines):
        check()
        if len(lines[at]) < 1000 and _FORWARD.match(lines[at]):
            new += lines[at:]
            break
        if head := _heading(lines, at):
            old += lines[at : at + head]
            at += head
            rest = next((line for line in lines[at:] if line.strip()), "")
            if not rest.lstrip().startswith(">"):  # not marked line by line: it goes on to the end
                old += lines[at:]
                break
            answers = True
        else:
            (old if answers and lines[at].lstrip().startswith(">") else new).append(lines[at])
            at += 1
    if not "".join(new).strip():
        return re.sub(r"(?m)^[ \t]*(?:>[ \t]?)+", "", text).strip(), ""
    return "\n".join(new).strip(), "\n".join(old).strip()


def _heading(lines: list[str], at: int) -> int:
    """How many lines from here announce quoted history, 0 if none do."""
    line = lines[at][:1000]
    if ">" in line:
        line = re.sub(r"^[ \t]*(?:>[ \t]?)+", "", line)
    if not line.strip():
        return 0
    if _ORIGINAL.match(line):
        return 1
    if _FROM.match(line):  # Outlook: sender, time, receiver, subject below each other
        fields = [following for following in lines[at + 1 : at + 9] if _FIELD.match(following.lstrip("> ")[:200])]
        return 1 if len(fields) >= 2 else 0
    if _WROTE_BEGINS.match(line):
        for more in range(3):  # mail programs break this line
            joined = " ".join(lines[at : at + more + 1])[:1000]
            if _WROTE.match(joined.lstrip("> ")) or joined.rstrip().endswith(("写道：", "写道:", "wrote:")):
                return more + 1
    return 0


def split_signature(text: str) -> tuple[str, str]:
    """(text, signature): from a line "-- " (RFC 3676 section 4.3) or the advertisement of a telephone at the end.
    A long block below the dashes, or one with nothing above it, stays in the text.
    """
    lines = text.rstrip().split("\n")
    cut = len(lines)
    while cut and (not lines[cut - 1].strip() or _MOBILE.match(lines[cut - 1][:200])):
        cut -= 1
    cut = next((at for at in range(cut - 1, max(cut - 2 - SIGNATURE_LINES, 0), -1) if lines[at] in ("-- ", "--")), cut)
    cut = cut if "".join(lines[:cut]).strip() else len(lines)
    return "\n".join(lines[:cut]).strip(), "\n".join(lines[cut:]).strip()
