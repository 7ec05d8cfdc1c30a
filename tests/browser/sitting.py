"""A sitting: what a browser holds once an officer has signed in with password and code."""

from __future__ import annotations

import pyotp
from playwright.sync_api import Browser, StorageState

from tests.browser.chromium import closing, open_context
from tests.browser.house import Officer


def cookies_of(browser: Browser, url: str, officer: Officer, path: str = "/desk") -> StorageState:
    """The cookies after signing in on the way to a page: a code counts only once, so a module's tests share them."""
    with closing(open_context(browser, url)) as context:
        page = context.new_page()
        page.goto(path)
        page.locator("[name=name]").fill(officer.name)
        page.locator("[name=password]").fill(officer.password)
        page.get_by_role("button", name="下一步").click()
        code = pyotp.parse_uri(officer.otpauth)
        assert isinstance(code, pyotp.TOTP)
        page.locator("[name=code]").fill(code.now())
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(f"**{path}")
        return context.storage_state()
