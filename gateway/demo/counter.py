"""The counter (来访登记演示): how a clerk takes down a visitor, page by page, after signing in with both factors."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyotp

from gateway.demo.browser import Browser, Page, Stuck
from gateway.demo.samples import Sample, SamplePerson
from petition.people import IdType

_SLIP = re.compile(r"信访编号(?P<case_no>[0-9A-Z-]{20,})查询码(?P<code>[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})")
_NOT_WORDS = re.compile(r"<[^>]*>|\s+")


@dataclass(frozen=True, slots=True)
class Clerk:
    """An officer who may register visits. secret: of the second factor, base 32."""

    name: str
    password: str
    secret: str

    @classmethod
    def read(cls, words: str) -> Clerk | None:
        """`name password otpauth://...`, as `gateway officer add --totp` tells them; None if it is not that."""
        parts = words.split()
        if len(parts) != 3:
            return None
        try:
            code = pyotp.parse_uri(parts[2])
        except ValueError:
            return None
        return cls(parts[0], parts[1], str(code.secret))


def file_at_counter(url: str, clerk: Clerk, sample: Sample) -> tuple[tuple[str, str], str]:
    """((case number, query code) of the slip, the number on the slip after a second click); raises Stuck."""
    with Browser(url) as browser:
        _sign_in(browser, clerk)
        page = browser.open("/desk/window", new="1")
        # The fields of a group are on the page once the clerk has chosen one.
        page = browser.submit(page.form(), {"manner": sample.manner}, button=("do", "save"))
        for _ in sample.people[1:]:
            page = browser.submit(page.form(), button=("do", "add"))
        page = browser.submit(page.form(), _typed(sample, page), button=("do", "read"))
        if page.problems or page.path != "/desk/window/read":
            raise Stuck(f"{page.path}: {';'.join(page.problems) or '没有走到宣读'}")
        last = page.form()
        read = {"read_back": "yes", "signed": "paper"}
        slips = [browser.submit(last, read, button=("do", "submit")) for _ in range(2)]  # a second click
        return _told(slips[0]), _told(slips[1])[0]


def _sign_in(browser: Browser, clerk: Clerk) -> None:
    page = browser.open("/desk")
    page = browser.submit(page.form("/desk/sign-in"), {"name": clerk.name, "password": clerk.password})
    page = browser.submit(page.form("/desk/sign-in/code"), {"code": pyotp.TOTP(clerk.secret).now()})
    if page.path != "/desk":
        raise Stuck(f"{page.path}: {';'.join(page.problems) or '没有登录成功'}")


def _typed(sample: Sample, page: Page) -> dict[str, str]:
    typed = {
        "manner": sample.manner,
        "headcount": str(sample.headcount),
        "region_words": sample.region_name,
        "purpose": sample.purpose.value,
        "title": sample.title,
        "content": sample.content,
        "requests": "\r\n".join(sample.requests),
        "occur_place": sample.occur_place,
        "is_public": "yes" if sample.is_public else "no",
        "confidential": "no",
        **dict(zip(("year", "month", "day"), sample.occur_time, strict=False)),
    }
    for place, person in enumerate(sample.people):
        typed |= {f"people.{place}.{name}": value for name, value in _person(person).items()}
    shown = page.form().values
    return {name: value for name, value in typed.items() if name in shown}


def _person(person: SamplePerson) -> dict[str, str]:
    return {
        "name": person.name,
        "id_type": IdType.RESIDENT_ID.value,
        "id_no": person.id_no,
        "phone": person.mobile,
        "address": person.address,
    }


def _told(slip: Page) -> tuple[str, str]:
    found = _SLIP.search(_NOT_WORDS.sub("", slip.text))
    if slip.path != "/desk/window/receipt" or found is None:
        raise Stuck(f"{slip.path}: 回执上没有编号和查询码")
    return found["case_no"].replace("-", ""), found["code"]
