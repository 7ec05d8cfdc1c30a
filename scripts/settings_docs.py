"""The settings as documents: .env.example and the table in docs/operations.md (`make docs` writes, a test compares)."""

from __future__ import annotations

import sys
from pathlib import Path

from config.dump import written
from config.settings import PREFIX, Settings

_HEAD = """\
# Every setting of the gateway with its default. Copy this file to .env and take the # away from what you change;
# `make run`, the compose file and the systemd unit read it. A value with spaces goes in double quotes.
"""
BEGIN, END = "<!-- settings: written by `make docs` -->", "<!-- end of settings -->"


def rows() -> list[tuple[str, str, str]]:
    """(name, default as written in the environment, help text) of every setting, in their order."""
    return [
        (PREFIX + name.upper(), written(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def env_example() -> str:
    """The text of .env.example."""
    parts = [_HEAD]
    for name, default, words in rows():
        quoted = f'"{default}"' if " " in default else default
        parts.append(f"# {words}\n#{name}={quoted}\n")
    return "\n".join(parts)


def table() -> str:
    """The Markdown table."""
    lines = ["| setting | default | what it does |", "|---|---|---|"]
    for name, default, words in rows():
        shown = f"`{default}`" if default else "(empty)"
        lines.append(f"| `{name}` | {shown} | {words} |")
    return "\n".join(lines)


def with_table(page: str) -> str:
    """The page with the table between its two marks renewed; ValueError when a mark is missing."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("docs/operations.md has lost the marks around its table of settings")
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    root = Path(__file__).parent.parent
    page = root / "docs" / "operations.md"
    if sys.argv[1:] == ["--write"]:
        (root / ".env.example").write_text(env_example())
        page.write_text(with_table(page.read_text()))
    else:
        print(env_example())
