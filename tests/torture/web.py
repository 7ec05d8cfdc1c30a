"""The web form under torture (网上填报): browsers whose forms come spoilt, page by page, and are mended in the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import httpx

from tests.fakes.filing import PERSON, PHOTO, STORY
from tests.houses import Rig
from tests.multipart import multipart
from tests.torture.mutator import VALUES, Mutator
from tests.torture.tally import Tally

_FORM = "application/x-www-form-urlencoded"
_NUMBER = re.compile(r"620000-[A-Z]-[0-9]{8}-[0-9]{5,12}-[0-9A-Z]")
GOOD: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("/file/who", {"manner": "self"}),
    ("/file/person/1", PERSON),
    ("/file/region", {"region": "620102"}),
    ("/file/scene", {"occur_place": "演示小区", "year": "2026", "month": "1", "day": ""}),
    ("/file/purpose", {"purpose": "APPEAL"}),
    ("/file/story", STORY),
    ("/file/requests", {"requests": "公开账目\n退还多收费用"}),
    ("/file/accused", {"accused_unit": "甘肃示例物业有限公司"}),
    ("/file/wishes", {"is_public": "yes", "confidential": "no"}),
)
_BEFORE = 25  # mutants before a browser mends its answers and hands them in
_PLACES = (
    *GOOD,
    ("/file/people", {"headcount": "3"}),
    ("/file/check", {"notice": "2026-11"}),
    ("/file/person/9", PERSON),
)


class Web:
    """Browsers at the portal. Only what is handed in reaches the ledger; everything typed before is a draft."""

    channel = "web"

    def __init__(self, rig: Rig, mutator: Mutator) -> None:
        self.tally = Tally(self.channel)
        self._rig = rig
        self._mutator = mutator
        self._browser: httpx.Client | None = None
        self._token = ""
        self._done = 0

    def hard(self) -> list[Callable[[], object]]:
        """Each value that has broken systems, in each field of each page."""
        texts = [value for value in VALUES if isinstance(value, str)]
        fields = [(path, {**good, name: value}) for path, good in GOOD for name in good for value in texts]
        return [lambda path=path, put=put: self._post(path, _whole(put)) for path, put in fields]  # type: ignore[misc]

    def mutant(self) -> None:
        """One spoilt form; now and then the browser mends everything and hands it in, twice."""
        self._done += 1
        if self._done % _BEFORE == 0:
            self.hand_in()
        path, good = self._mutator.pick(_PLACES)
        if self._mutator.chance(0.15):
            self._evidence()
            return
        spoilt = self._mutator.spoil_json(dict(good))
        some = spoilt if isinstance(spoilt, dict) else {"value": spoilt}
        fields = {str(name): str(value) for name, value in some.items()}
        if self._mutator.chance(0.2):
            fields["_csrf"] = self._mutator.text(self._token or "x")
        self._post(path, _whole(fields), spoilt=self._mutator.chance(0.2))

    def hand_in(self) -> None:
        """Good answers on every page, then the button twice: one petition, one receipt."""
        for path, fields in GOOD:
            self._post(path, fields)
        for _ in range(9):  # strangers among the people, typed by mutants, are taken out again
            people = self._get("/file/people")
            if "/file/person/2/remove" not in people.text:
                break
            self._post("/file/person/2/remove", {})
        page = self._get("/file/check")
        notice = re.search(r'name="notice" value="([^"]*)"', page.text)
        if notice is None:
            self.tally.bad(f"no button to hand in: {page.status_code} {page.url.path}")
            self.close()
            return
        places = [self._post("/file/check", {"notice": notice[1]}).headers.get("Location", "") for _ in range(2)]
        if places != ["/file/receipt"] * 2:
            self.tally.bad(f"good answers were not taken: {places}")
        self.close()

    def race(self) -> list[Callable[[], object]]:
        """One browser, whose button is pressed several times at once."""
        self.close()
        for path, fields in GOOD:
            self._post(path, fields)
        browser, token = self._open(), self._token
        body = urlencode({"_csrf": token, "notice": self._rig.house.settings.notice_version}).encode()

        def press() -> None:
            with httpx.Client(base_url=self._rig.url, cookies=browser.cookies, trust_env=False, timeout=30) as one:
                self._seen(
                    one.post("/file/check", content=body, headers={"Content-Type": _FORM, "Origin": self._rig.url})
                )
                self._receipt(one.get("/file/receipt"))

        return [press] * 5

    def close(self) -> None:
        """End the browser."""
        if self._browser is not None:
            self._browser.close()
            self._browser = None

    def _open(self) -> httpx.Client:
        if self._browser is None:
            self._browser = httpx.Client(base_url=self._rig.url, trust_env=False, timeout=30)
            self._get("/file")
            self._post("/file", {})
        return self._browser

    def _get(self, path: str) -> httpx.Response:
        answer = self._seen(self._open().get(path, follow_redirects=True))
        if found := re.search(r'name="_csrf" value="([^"]+)"', answer.text):
            self._token = found[1]
        return answer

    def _post(self, path: str, fields: Mapping[str, str], spoilt: bool = False) -> httpx.Response:
        browser = self._open()
        body = urlencode({"_csrf": self._token, **fields}).encode()
        body = self._mutator.spoil(body) if spoilt else body
        return self._sent(browser.post(path, content=body, headers={"Content-Type": _FORM, "Origin": self._rig.url}))

    def _evidence(self) -> None:
        browser = self._open()
        name = self._mutator.text("现场照片.jpg").replace('"', "")
        body, kind = multipart(
            ("_csrf", self._token.encode(), None),
            ("do", self._mutator.pick((b"add", b"next", b"x")), None),
            ("files", self._mutator.spoil(PHOTO), name),
        )
        body = self._mutator.spoil(body) if self._mutator.chance(0.5) else body
        headers = {"Content-Type": kind, "Origin": self._rig.url}
        self._sent(browser.post("/file/evidence", content=body, headers=headers))

    def _sent(self, answer: httpx.Response) -> httpx.Response:
        self._seen(answer)
        if answer.headers.get("Location", "") == "/file/receipt" and self._browser is not None:
            self._receipt(self._browser.get("/file/receipt"))
        return answer

    def _receipt(self, page: httpx.Response) -> None:
        found = _NUMBER.search(page.text)
        if found is None:
            self.tally.bad(f"a receipt without a number: {page.status_code} {page.url.path}")
            return
        number = found[0].replace("-", "")
        if number not in self.tally.numbers:
            self.tally.reached += 1
        self.tally.acknowledged(number)

    def _seen(self, answer: httpx.Response) -> httpx.Response:
        self.tally.sent += 1
        self.tally.answers[str(answer.status_code)] += 1
        if answer.status_code not in (200, 303, 400, 403, 404, 409, 413, 415):
            self.tally.bad(f"{answer.status_code} at {answer.request.method} {answer.request.url.path}")
        if answer.status_code != 303 and "X-Request-Id" in answer.headers and "</html>" not in answer.text:
            self.tally.bad(f"{answer.status_code} without a page at {answer.request.url.path}")
        return answer


def _whole(fields: Mapping[str, str]) -> dict[str, str]:
    def whole(text: str) -> str:
        return text.encode("utf-8", "replace").decode()

    return {whole(name): whole(value) for name, value in fields.items()}
