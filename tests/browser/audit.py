"""The audit (无障碍检查): what a page owes to every reader - axe, targets, no sideways scrolling - in each way of reading."""

from __future__ import annotations

from functools import cache

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Name, color scheme, large text.
MOODS = (("light", "light", False), ("dark", "dark", False), ("large", "light", True))
# What is too small to hit, of the things that are pressed or typed into; a link inside a sentence is not a target.
_SMALL = """least => [...document.querySelectorAll(".button, button:not(.link-button), input.input, select, textarea, .place")]
  .filter(one => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().height < least - 0.5)
  .map(one => `${one.outerHTML.slice(0, 80)} ${one.getBoundingClientRect().height}`)"""
_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_LARGE = "on => { if (on) document.documentElement.dataset.text = 'large'; else delete document.documentElement.dataset.text }"
_SIZE = "() => parseFloat(getComputedStyle(document.querySelector('main')).fontSize)"
TARGET, LARGE_TARGET, LARGE_TEXT = 44, 60, 22


@cache
def _axe() -> Axe:
    return Axe()


def faults(page: Page, *, targets: bool = True) -> list[str]:
    """Everything wrong with the page as it stands, in light, dark and large text; the page is left as it was."""
    found = []
    for mood, scheme, large in MOODS:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.evaluate(_LARGE, large)
        told = _axe().run(page).response["violations"]
        found += [f"{mood}: {one['id']} {node['html'][:160]}" for one in told for node in one["nodes"]]
        if (wide := page.evaluate(_WIDE)) > 0:
            found.append(f"{mood}: {wide} pixels too wide")
        if targets:
            found += [f"{mood}: too small {one}" for one in page.evaluate(_SMALL, LARGE_TARGET if large else TARGET)]
        if large and (size := page.evaluate(_SIZE)) < LARGE_TEXT:
            found.append(f"{mood}: text of {size} pixels")
    page.emulate_media(color_scheme="light")
    page.evaluate(_LARGE, False)
    return [f"{page.url}: {one}" for one in found]
