"""The counter alone: a real house behind real HTTP, and a clerk's browser that runs no scripts."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlparse

import httpx
import pyotp
from argon2 import PasswordHasher

from gateway.officers import Credentials, add_officer
from petition.petition import Lane
from store import audit, petitions
from store.petitions import Case
from tests.houses import Rig

PASSWORD = "correct horse battery"
PERSON = {
    "people.0.name": "张示例",
    "people.0.id_type": "RESIDENT_ID",
    "people.0.id_no": "620199198503120012",
    "people.0.phone": "15400000001",
    "people.0.address": "兰州市城关区示例街道演示小区1号楼",
}
VISIT = {
    **PERSON,
    "manner": "self",
    "window": "3号",
    "companions": "1",
    "region_words": "城关区",
    "purpose": "APPEAL",
    "title": "反映演示小区供暖不足",
    "content": "来访人说：“演示小区3号楼自供暖以来室温一直只有14度，打过两次电话没有人上门。”",
    "requests": "请供热单位上门检修",
    "is_public": "no",
    "confidential": "no",
    "documents": "室温记录1份2页",
    "originals": "returned",
}
SIGNED = {"read_back": "yes", "signed": "paper", "do": "submit"}
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def hire(rig: Rig, name: str, role: str = "registrar", **changes: Any) -> Credentials:
    """An officer with a second factor."""
    values: dict[str, Any] = {"region": "620000", "unit": "620000-xinfang", "lanes": (Lane.NORMAL,), **changes}
    reference = rig.house.reference
    return add_officer(
        rig.house.store,
        reference.roles,
        reference.units,
        _CHEAP.hash,
        name=name,
        display_name="窗口示例",
        role_keys=(role,),
        password=PASSWORD,
        with_totp=True,
        **values,
    )


def trail(rig: Rig) -> list[tuple[str, str]]:
    """(action, case number) of the newest audit rows."""
    return [(row.action, row.case_no) for row in rig.house.store.read_now(audit.recent)]


def case_of(rig: Rig, case_no: str) -> Case:
    """The case as it stands."""
    return rig.house.store.read_now(lambda tx: petitions.get(tx, case_no))


@dataclass
class Clerk:
    """Opens pages and sends their forms with the tokens that stand in them; follows redirects."""

    rig: Rig
    client: httpx.Client = field(init=False)
    status: int = 0
    path: str = ""
    body: str = ""

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.rig.url, timeout=20, trust_env=False, follow_redirects=True)

    @property
    def text(self) -> str:
        """The words without tags."""
        plain = re.sub(r"(?s)<(script|style|svg).*?</\1>", " ", self.body)
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", plain)))

    @property
    def errors(self) -> set[str]:
        """The fields the summary points to, each proved to be on the page."""
        found = re.search(r'(?s)<div class="errors".*?</ul>', self.body)
        fields = set(re.findall(r'href="#([^"]+)"', found[0])) if found else set()
        assert all(f'id="{each}"' in self.body for each in fields), fields
        return fields

    def value(self, name: str) -> str:
        """What stands in an input or a text area."""
        if area := re.search(rf'(?s)<textarea[^>]* name="{re.escape(name)}"[^>]*>\n?(.*?)</textarea>', self.body):
            return html.unescape(area[1])
        found = re.search(rf'<input[^>]* value="([^"]*)"[^>]* name="{re.escape(name)}"', self.body)
        return html.unescape(found[1]) if found else ""

    def get(self, path: str) -> Clerk:
        """Open a page."""
        return self._seen(self.client.get(path))

    def post(self, path: str, fields: Mapping[str, str] | None = None) -> Clerk:
        """Send an urlencoded form."""
        return self._seen(self.client.post(path, data={**self._tokens(), **(fields or {})}))

    def send(
        self, path: str, fields: Mapping[str, str], files: Mapping[str, bytes] | None = None, **more: Any
    ) -> Clerk:
        """Send a form in parts, the token first, as browsers do."""
        parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in {**self._tokens(), **fields}.items()]
        parts += [("files", (name, body, "application/octet-stream")) for name, body in (files or {}).items()]
        return self._seen(self.client.post(path, files=parts, **more))

    def sign_in(self, officer: Credentials) -> Clerk:
        """Password and code."""
        self.get("/desk")
        self.post("/desk/sign-in", {"name": officer.name, "password": officer.password, "next": "/desk"})
        secret = parse_qs(urlparse(officer.otpauth).query)["secret"][0]
        return self.post("/desk/sign-in/code", {"code": pyotp.TOTP(secret).now(), "next": "/desk"})

    def _tokens(self) -> dict[str, str]:
        found = dict(re.findall(r'name="(_csrf|csrf)" value="([^"]+)"', self.body)[::-1])
        desk = re.search(r'name="csrf" value="([^"]+)"', self.body)
        return {"_csrf": desk[1], "csrf": desk[1]} if desk else found

    def _seen(self, answer: httpx.Response) -> Clerk:
        self.status, self.path, self.body = answer.status_code, answer.url.raw_path.decode(), answer.text
        return self
