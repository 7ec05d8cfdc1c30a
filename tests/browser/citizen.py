"""The citizen (群众): answers the pages of the web form one by one, by what stands on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page

# Fictional: area 620199 is unassigned, mobiles 154... are in no use.
ZHANG = {"name": "张示例", "id_no": "620199198503120012", "phone": "15400000001", "address": "示例市演示路1号"}
LI = {"name": "李演示", "id_no": "620199199007260029", "phone": "15400000002", "address": "示例市样例路2号"}
STORY = {
    "occur_place": "演示小区3号楼",
    "year": "2026",
    "month": "10",
    "day": "8",
    "title": "演示小区供暖不足",
    "content": "演示小区3号楼自供暖以来室温一直只有14度，多次打电话给供热公司没有人上门。家里有老人和孩子。",
    "requests": "请供热单位上门检修\n按规定退还温度不达标期间的费用",
    "headcount": "12",
}
CHOICES = {"purpose": "APPEAL", "is_public": "no", "confidential": "no"}
REGION, REGION_NAME = "620102", "城关区"
_MOST = 30  # pages of one petition; more means the form leads in a circle


@dataclass
class Citizen:
    """One filing. manner: self, agent or joint; look: called on every page before it is answered."""

    page: Page
    people: tuple[Mapping[str, str], ...] = (ZHANG,)
    manner: str = "self"
    scripted: bool = True
    files: tuple[Path, ...] = ()
    look: Callable[[str], None] = lambda _: None
    seen: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where the browser stands, without the query."""
        return urlsplit(self.page.url).path

    def begin(self) -> None:
        """Open the introduction and start."""
        self.page.goto("/file")
        self._look()
        self.page.locator("form[action='/file'] .go button").click()

    def walk(self, until: str) -> None:
        """Answer page after page until this one is reached; AssertionError when it is not."""
        for _ in range(_MOST):
            if self.path == until:
                return
            self._look()
            self.answer()
        raise AssertionError(f"{until} was not reached; passed {self.seen}, problems: {self.problems()}")

    def problems(self) -> list[str]:
        """The lines of the error summary, if there is one."""
        return self.page.locator(".errors li").all_inner_texts()

    def answer(self) -> None:
        """Answer the questions of this page and go on."""
        step = self.path.removeprefix("/file/")
        if step.startswith("person/"):
            self.fill(self.people[int(step.removeprefix("person/")) - 1])
        elif step == "people" and self.page.locator("#people > li").count() < len(self.people):
            self.page.locator("button[name=do][value=add]").click()
            return
        elif step == "region":
            self.place()
            return
        elif step == "evidence":
            self.attach()
        elif step == "who":
            self.choose("manner", self.manner)
        self.fill(STORY)
        for name, value in CHOICES.items():
            self.choose(name, value)
        self.page.locator(".filing-main .go button").click()

    def fill(self, typed: Mapping[str, str]) -> None:
        """Type into those fields that the page has."""
        for name, text in typed.items():
            box = self.page.locator(f"input.input[name={name}], textarea[name={name}]")
            if box.count():
                box.fill(text)

    def choose(self, name: str, value: str) -> None:
        """Press the card of a choice, as a thumb does, if the page has it."""
        choice = self.page.locator(f"input[type=radio][name={name}][value={value}]")
        if choice.count():
            self.page.locator(f"label[for='{choice.get_attribute('id')}']").click()
            assert choice.is_checked()

    def place(self) -> None:
        """Look the place up by its name: with scripts it is found while typing, without by the button."""
        self.page.locator("#q").fill(REGION_NAME)
        if not self.scripted:
            self.page.locator("form[role=search] button").click()
        self.page.locator(f"#hits button[value='{REGION}']").click()

    def attach(self) -> None:
        """Add the files: with scripts each goes up at once, without by the button."""
        if not self.files:
            return
        self.page.locator("#files").set_input_files(self.files)
        if not self.scripted:
            self.page.locator("button[name=do][value=add]").click()
        self.page.locator("#file-list > li").nth(len(self.files) - 1).wait_for()
        self.page.locator("#uploads progress").first.wait_for(state="detached")

    def _look(self) -> None:
        self.seen.append(self.path)
        self.look(self.path)
