"""Pictures of the pages for the documents: a fresh gateway, a petition filed by hand in Chromium, an officer's desk."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyotp
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).parent.parent
ALL = ROOT / "var" / "pictures"
DOCS = ROOT / "docs" / "pictures"
# What the documents show; the rest is for looking at.
SHOWN = frozenset(
    "home-phone story-phone receipt-phone home-desktop receipt-desktop track-desktop desk-desktop case-desktop".split()
)
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
SIZES = {"phone": PHONE, "desktop": DESKTOP}
START_SECONDS = 30

# Fictional: area 620199 is unassigned, mobiles 154... are in no use.
ANSWERS = {
    "name": "张示例",
    "id_no": "620199198001010016",
    "phone": "15400001234",
    "address": "示例市演示路1号",
    "occur_place": "演示小区3号楼",
    "year": "2026",
    "month": "10",
    "day": "8",
    "title": "演示小区供暖不足",
    "content": "演示小区3号楼自供暖以来室温一直只有14度,多次打电话给供热公司没有人上门。家里有老人和孩子。",
    "requests": "请供热单位上门检修\n按规定退还温度不达标期间的费用",
}
CHOICES = {"manner": "self", "purpose": "APPEAL", "is_public": "no", "confidential": "no"}
# A picture of these steps of the filing; the others look alike.
STEPS = {"/file/who": "who", "/file/story": "story", "/file/evidence": "evidence", "/file/check": "check"}


@dataclass(frozen=True)
class Officer:
    """A demo officer as `gateway serve` prints it once."""

    name: str
    password: str
    otpauth: str


@dataclass(frozen=True)
class Gateway:
    """A running gateway and its first demo officer."""

    url: str
    officer: Officer


@contextmanager
def running() -> Iterator[Gateway]:
    """A gateway with a data folder of its own, on a port the system chose; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="xf-pictures-") as name:
        output = Path(name) / "output"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GATEWAY_")}
        environment |= {"GATEWAY_DATA": f"{name}/var", "GATEWAY_HTTP": "127.0.0.1:0", "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "gateway", "serve"]
        with output.open("wb") as target:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=target, stderr=target)
        try:
            (url,) = _wait(process, output, r"(http://127\.0\.0\.1:[1-9]\d*)")
            words = _wait(process, output, r"(?m)^ +(registrar) +(\S+-\S+) .*\n +(otpauth://\S+)")
            yield Gateway(url, Officer(*words))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)


def _wait(process: subprocess.Popen[bytes], output: Path, pattern: str) -> tuple[str, ...]:
    """The groups of the pattern once the gateway has printed it."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(pattern, output.read_text(errors="replace")):
            return found.groups()
        time.sleep(0.05)
    raise SystemExit(f"the gateway did not start:\n{output.read_text(errors='replace')}")


def fill(page: Page) -> None:
    """Answer every question on the page and go on, as a citizen would."""
    if page.url.endswith("/file/region"):
        page.goto(f"{page.url}?at=620102")
        page.get_by_role("button", name=re.compile("^就选")).click()
        return
    for name, text in ANSWERS.items():
        field = page.locator(f"input.input[name={name}], textarea[name={name}]")
        if field.count():
            field.first.fill(text)
    for name, value in CHOICES.items():
        choice = page.locator(f"input[type=radio][name={name}][value={value}]")
        if choice.count():
            choice.check(force=True)
    page.locator("main .go button").last.click()


def take(page: Page, name: str) -> None:
    """One picture of the whole page; a page that answers with an error ends the work."""
    if page.locator("main").count() == 0 or page.locator("[data-status]").count():
        raise SystemExit(f"{page.url} is no page to show")
    page.evaluate("document.fonts.ready")
    picture = ALL / f"{name}.png"
    page.screenshot(path=picture, full_page=True, animations="disabled", caret="hide")
    if name in SHOWN:
        picture = Path(shutil.copy(picture, DOCS))
    print(picture.relative_to(ROOT))


def citizen(browser: Browser, gateway: Gateway, size: str) -> None:
    """File a petition and take its pictures on the way."""
    page = browser.new_page(viewport=SIZES[size], base_url=gateway.url, locale="zh-CN")
    for path, name in {"/": "home", "/guide": "guide", "/guide/flow": "flow", "/file": "start"}.items():
        page.goto(path)
        take(page, f"{name}-{size}")
    page.locator("main form[action='/file'] .go button").click()
    for _ in range(20):
        path = page.url.removeprefix(gateway.url).partition("?")[0]
        if path == "/file/receipt":
            break
        if path in STEPS:
            take(page, f"{STEPS[path]}-{size}")
        fill(page)
    else:
        raise SystemExit(f"the petition was not accepted, it stopped at {page.url}")
    take(page, f"receipt-{size}")
    number, code = page.locator(".case-no").inner_text(), page.locator(".query-code").inner_text()
    page.goto("/track")
    page.fill("[name=case_no]", number)
    page.fill("[name=query_code]", code)
    page.locator("main .go button").click()
    take(page, f"track-{size}")
    page.close()


def moods(browser: Browser, gateway: Gateway) -> None:
    """The home page in the dark and in large text."""
    context = browser.new_context(viewport=PHONE, base_url=gateway.url, color_scheme="dark")
    page = context.new_page()
    page.goto("/")
    take(page, "home-phone-dark")
    context.close()
    context = browser.new_context(viewport=PHONE, base_url=gateway.url)
    context.add_cookies([{"name": "text", "value": "large", "url": gateway.url}])
    page = context.new_page()
    page.goto("/")
    take(page, "home-phone-large")
    context.close()


def desk(browser: Browser, gateway: Gateway) -> None:
    """An officer signs in and opens the first case."""
    page = browser.new_page(viewport=DESKTOP, base_url=gateway.url, locale="zh-CN")
    page.goto("/desk")
    take(page, "sign-in-desktop")
    page.fill("[name=name]", gateway.officer.name)
    page.fill("[name=password]", gateway.officer.password)
    page.keyboard.press("Enter")
    page.wait_for_selector("[name=code]")
    code = pyotp.parse_uri(gateway.officer.otpauth)
    assert isinstance(code, pyotp.TOTP)
    page.fill("[name=code]", code.now())
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk")
    take(page, "desk-desktop")
    page.locator("a[href^='/desk/case']").first.click()
    take(page, "case-desktop")
    page.close()


def main() -> None:
    """All pictures, anew."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("chromium is not installed; `make screenshots` installs it (as root or with sudo)")
    for folder in (ALL, DOCS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    with running() as gateway, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size in SIZES:
            citizen(browser, gateway, size)
        moods(browser, gateway)
        desk(browser, gateway)
        browser.close()


if __name__ == "__main__":
    main()
