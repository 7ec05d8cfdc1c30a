"""Theme files (主题文件) for tests: a whole one, and the same with something changed."""

from __future__ import annotations

from pathlib import Path

THEME = """
code = "{code}"
title = "{title}"
open = {open}
source = "示例依据"
channels = ["web", "rest", "hotline", "email"]
mailboxes = ["{code}@office.example"]
{more}
[texts]
door = "防汛救灾诉求"
intro = "只用于反映洪水、内涝造成的困难。"
write = ["家里进水到什么地方", "有没有老人、病人"]
consent = "您的电话会告诉社区的防汛值班人员。"
[texts.hints]
story = "先写人，再写东西。"
[proposal]
category = "02.05"
urgency = "URGENT"
source = "示例应急预案第3条"
{rows}
"""
ROWS = """
[[routes]]
rule = "FLOOD-ANY"
targets = ["emergency@county"]
co_units = ["government@county"]
dispatch_type = "ASSIGN"
article = "条例第22条第1款"
notes = "防汛救灾专题，交办属地应急管理部门"
"""


def write_theme(
    folder: Path,
    code: str = "flood",
    *,
    title: str = "防汛救灾",
    opened: bool = True,
    more: str = "",
    rows: str = ROWS,
    name: str = "",
) -> Path:
    """A file of a theme in the folder. more: lines at the top; rows: its routing rows."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or f"{code}.toml")
    text = THEME.format(code=code, title=title, open=str(opened).lower(), more=more, rows=rows)
    path.write_text(text, encoding="utf-8")
    return path
