"""The audit (无障碍检查): axe, targets and no sideways scrolling, in light, dark and large text."""

from __future__ import annotations

from functools import cache

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Name, dark, large text, and what axe looks at: everything once, then what colours and sizes can change.
_STYLED = ("color-contrast", "scrollable-region-focusable", "target-size", "link-in-text-block")
MOODS: tuple[tuple[str, bool, bool, tuple[str, ...]], ...] = (
    ("light", False, False, ()),
    ("dark", True, False, _STYLED),
    ("large", False, True, _STYLED),
)
# What is too small to hit, of the things that are pressed or typed into; a link inside a sentence is not a target.
_SMALL = """least => [...document.querySelectorAll(".button, .place, .input, button:not(.link-button), select")]
  .filter(one => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().height < least - 0.5)
  .map(one => `${one.outerHTML.slice(0, 80)} ${one.getBoundingClientRect().height}`)"""
_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_LARGE = """large => {
  if (large) document.documentElement.dataset.text = "large";
  else delete document.documentElement.dataset.text;
}"""
_RUN = "options => axe.run(options).then(found => found.violations)"
_SIZE = "() => parseFloat(getComputedStyle(document.querySelector('main')).fontSize)"
TARGET, LARGE_TARGET, LARGE_TEXT = 44, 60, 22


@cache
def _axe() -> str:
    return str(Axe().axe_script)


def faults(page: Page, *, aged: bool = True) -> list[str]:
    """Everything wrong with the page as it stands, in light, dark and large text; the page is left as it was.

    aged: whether large text has to meet the rules for old people (适老化), which are for citizens and not for desks.
    """
    found = []
    page.evaluate(_axe())
    for mood, dark, large, rules in MOODS:
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.evaluate(_LARGE, large)
        told = page.evaluate(_RUN, {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})})
        found += [f"{mood}: {one['id']} {node['html'][:160]}" for one in told for node in one["nodes"]]
        if (wide := page.evaluate(_WIDE)) > 0:
            found.append(f"{mood}: {wide} pixels too wide")
        least = LARGE_TARGET if large and aged else TARGET
        found += [f"{mood}: too small {one}" for one in page.evaluate(_SMALL, least)]
        if large and aged and (size := page.evaluate(_SIZE)) < LARGE_TEXT:
            found.append(f"{mood}: text of {size} pixels")
    page.emulate_media(color_scheme="light")
    page.evaluate(_LARGE, False)
    return [f"{page.url}: {one}" for one in found]
