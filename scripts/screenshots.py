"""Pictures of the pages for the documents: a fresh gateway, a petition filed by hand in Chromium, an officer's desk."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import httpx
import pyotp
from playwright.sync_api import Browser, FloatRect, Page

from tests.browser.chromium import DESKTOP, PHONE, chromium, closing, open_context
from tests.browser.citizen import LI, STORY, ZHANG, Citizen
from tests.browser.house import House, Officer
from tests.servers.process import own_folder

ROOT = Path(__file__).parent.parent
ALL = ROOT / "var" / "pictures"
DOCS = ROOT / "docs" / "pictures"
SIZES = {"phone": PHONE, "desktop": DESKTOP}
# What the documents show; the rest is for looking at.
SHOWN = frozenset("home-desktop home-phone story-phone receipt-phone track-phone case-desktop".split())
SHOWN_HEIGHT = 960
# A picture of these steps of the filing; the others look alike.
STEPS = {
    "/file": "start",
    "/file/who": "who",
    "/file/person/1": "person",
    "/file/region": "region",
    "/file/story": "story",
    "/file/evidence": "evidence",
    "/file/check": "check",
}
# Ways of reading: what a browser asks for and what the large-text button leaves behind.
MOODS = {"": {}, "-dark": {"color_scheme": "dark"}, "-large": {}}
SETTINGS = {"RATE_PER_MINUTE": "6000"}
KEY = "sample-key-of-the-exchange"


def take(page: Page, name: str) -> None:
    """One picture of the whole page; a page that answers with an error ends the work."""
    if page.locator("main").count() == 0 or page.locator("[data-status]").count():
        raise SystemExit(f"{page.url} is no page to show")
    page.evaluate("document.fonts.ready.then(() => {})")
    picture = ALL / f"{name}.png"
    page.screenshot(path=picture, full_page=True, animations="disabled", caret="hide")
    print(picture.relative_to(ROOT))
    if name in SHOWN:
        # The documents show the upper part: pictures of one height stand well side by side.
        part: FloatRect = {"x": 0, "y": 0, "width": page.evaluate("innerWidth"), "height": SHOWN_HEIGHT}
        page.screenshot(path=DOCS / picture.name, full_page=True, clip=part, animations="disabled", caret="hide")


def citizen(browser: Browser, url: str, size: str, mood: str) -> None:
    """File a petition and take its pictures on the way."""
    tail = f"{size}{mood}"
    with closing(open_context(browser, url, viewport=SIZES[size], **MOODS[mood])) as context:
        if mood == "-large":
            context.add_cookies([{"name": "text", "value": "large", "url": url}])
        page = context.new_page()
        for path, name in {"/": "home", "/guide": "guide", "/guide/flow": "flow", "/track": "ask"}.items():
            page.goto(path)
            take(page, f"{name}-{tail}")
        visitor = Citizen(page)

        def look(path: str) -> None:
            if path in STEPS and visitor.seen.count(path) == 1:
                visitor.fill(STORY | ZHANG)
                take(page, f"{STEPS[path]}-{tail}")

        visitor.look = look
        visitor.begin()
        visitor.walk("/file/person/1")
        visitor.fill({**ZHANG, "id_no": ZHANG["id_no"][:-1] + "0"})
        page.locator(".filing-main .go button").click()
        take(page, f"wrong-{tail}")
        visitor.walk("/file/check")
        take(page, f"check-{tail}")
        page.get_by_role("button", name="确认提交").click()
        page.wait_for_url("**/file/receipt")
        take(page, f"receipt-{tail}")
        number, code = page.locator(".case-no").inner_text(), page.locator(".query-code").inner_text()
        page.goto("/track")
        page.fill("[name=case_no]", number)
        page.fill("[name=query_code]", code)
        page.locator("main .go button").click()
        page.wait_for_url("**/track/case")
        page.wait_for_timeout(500)  # time to reach its unit
        page.reload()
        take(page, f"track-{tail}")


def desk(browser: Browser, url: str, officer: Officer) -> None:
    """An officer signs in and opens the first case."""
    with closing(open_context(browser, url, viewport=DESKTOP)) as context:
        page = context.new_page()
        page.goto("/desk")
        take(page, "sign-in-desktop")
        sign_in(page, officer)
        page.wait_for_url("**/desk")
        take(page, "desk-desktop")
        page.locator("[data-rows] .row").first.click()
        take(page, "case-desktop")
        page.emulate_media(color_scheme="dark")
        take(page, "case-desktop-dark")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)
        take(page, "case-phone")
        page.goto("/desk")
        take(page, "desk-phone")


def seat(browser: Browser, url: str, officer: Officer) -> None:
    """A seat: a call pops up, its work order is written, the receipt is read to the caller."""
    with closing(open_context(browser, url, viewport=DESKTOP)) as context, httpx.Client(trust_env=False) as exchange:

        def tell(call_id: str, event: str, number: str) -> None:
            body = {"call_id": call_id, "event": event, "number": number, "line": "12345"}
            exchange.post(f"{url}/api/v1/hotline/calls", json=body, headers={"X-API-Key": KEY}).raise_for_status()

        page = context.new_page()
        page.goto("/desk/seat")
        sign_in(page, officer)
        page.wait_for_url("**/desk/seat")
        tell("missed", "ringing", ZHANG["phone"])
        tell("missed", "over", ZHANG["phone"])
        tell("first", "ringing", LI["phone"])
        page.locator(".call-rings button").first.click()
        page.wait_for_url("**/desk/seat/sheets/**")
        tell("second", "ringing", ZHANG["phone"])
        page.wait_for_selector(".call-rings")
        page.fill("#content", STORY["content"])
        page.evaluate("document.activeElement.blur()")
        page.wait_for_timeout(1500)  # the draft is kept every second
        take(page, "seat-desktop")
        page.emulate_media(color_scheme="dark")
        take(page, "seat-desktop-dark")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)
        take(page, "seat-phone")
        page.set_viewport_size(DESKTOP)
        page.get_by_role("button", name="提交工单").click()
        page.wait_for_selector(".told")
        take(page, "seat-receipt-desktop")


def sign_in(page: Page, officer: Officer) -> None:
    """Name, password and code into the sign-in page that is open."""
    page.fill("[name=name]", officer.name)
    page.fill("[name=password]", officer.password)
    page.keyboard.press("Enter")
    page.wait_for_selector("[name=code]")
    code = pyotp.parse_uri(officer.otpauth)
    assert isinstance(code, pyotp.TOTP)
    page.fill("[name=code]", code.now())
    page.keyboard.press("Enter")


def the_officer(house: House, name: str = "registrar") -> Officer:
    """A demo officer; they are made a moment after the door opens."""
    end = time.monotonic() + 30
    while (found := house.demo_officer(name)) is None:
        if time.monotonic() > end:
            raise SystemExit("the gateway has made no demo officer")
        time.sleep(0.1)
    return found


def main() -> None:
    """All pictures, anew."""
    for folder in (ALL, DOCS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    with own_folder("xf-pictures-", None) as folder:
        house = House(folder, SETTINGS)
        with house.serve() as url, chromium() as browser:
            for size in SIZES:
                citizen(browser, url, size, "")
            citizen(browser, url, "phone", "-dark")
            citizen(browser, url, "phone", "-large")
    with own_folder("xf-pictures-", None) as folder:
        house = House(folder, SETTINGS)
        with house.serve() as url, chromium() as browser:
            house.run("demo", "--url", url)
            desk(browser, url, the_officer(house))
    with own_folder("xf-pictures-", None) as folder:
        house = House(folder, SETTINGS | {"CHANNELS": "web,rest,hotline", "API_KEYS": f"exchange:{KEY}"})
        with house.serve() as url, chromium() as browser:
            seat(browser, url, the_officer(house, "seat"))


if __name__ == "__main__":
    main()
