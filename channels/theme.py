"""Themes at a door (主题渠道入口): what a door records of a theme, and what it says when the theme is not open."""

from __future__ import annotations

from datetime import date

from config.themes import Themes
from petition.errors import Problem
from petition.origin import Origin
from petition.petition import Note

NAME = "theme"


def themed(themes: Themes, code: str, channel: str, day: date, words: str = "") -> tuple[str, tuple[Note, ...]]:
    """(sub_source, notes) of an event for a theme on a day; words: what else the door records of the source.

    A theme that is not open then changes nothing but leaves a note: the petition itself is taken as any other.
    """
    theme = themes.find(code)
    if theme is None:
        return words, ()
    if channel in theme.channels and theme.is_open(day):
        return str(Origin(theme=code, words=words)), ()
    told = f"注明了主题渠道“{theme.title}”，该主题当时没有开放，按一般事项登记。"
    return words, (Note(stage=NAME, code="THEME_CLOSED", words=told),)


def check_theme(themes: Themes, code: str) -> tuple[Problem, ...]:
    """The problem of a code that no theme has; a slip of another system must not pass unseen."""
    if not code or themes.find(code):
        return ()
    return (Problem("theme", "theme", "没有这个主题渠道。"),)
