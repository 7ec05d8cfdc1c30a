"""Chromium without a window: how it is started, and what is watched while it visits us."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Request,
    Response,
    ViewportSize,
    sync_playwright,
)

from tests.servers.process import find_program

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
# Nothing may leave this machine: no updates, no probes, no name but ours is found. The profile is a fresh folder.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
PATIENCE = 10_000  # milliseconds for one step of a page


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser until the end of the block; raises MissingServer when it is not installed."""
    program = find_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def open_context(browser: Browser, url: str, **options: Any) -> BrowserContext:
    """A visitor with cookies of their own, on a phone unless said otherwise."""
    given = {"viewport": PHONE, "locale": "zh-CN", "reduced_motion": "reduce", "base_url": url, **options}
    context = browser.new_context(**given)
    context.set_default_timeout(PATIENCE)
    return context


@dataclass
class Watch:
    """What a page must not do. wrong: words of the console, errors of scripts, requests to strangers."""

    home: str
    wrong: list[str] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Watch every page of this visitor."""
        context.on("console", self._console)
        context.on("weberror", lambda problem: self.wrong.append(f"script: {problem.error}"))
        context.on("request", self._request)
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # An answer of 4xx is reported by the console too; `refused` has it with its path.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.wrong.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.home + "/", "data:", "blob:")):
            self.wrong.append(f"request: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.refused.append((response.status, response.url.removeprefix(self.home)))


@contextmanager
def closing(context: BrowserContext) -> Iterator[BrowserContext]:
    """The visitor until the end of the block, whatever happened to the browser meanwhile."""
    with contextlib.closing(context):
        yield context
