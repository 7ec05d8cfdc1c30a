"""The browser (无脚本浏览器): opens pages and sends their forms as a browser without JavaScript does."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx

_PATIENCE = 90.0  # seconds of waiting for a busy house, over a whole visit
_BUSY = frozenset({429, 503})


class Stuck(Exception):
    """A page did not lead on; the words are those of the page."""


@dataclass(slots=True)
class PageForm:
    """One form of a page: where it goes and what its fields hold before anybody types."""

    action: str
    method: str
    parts: bool
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    choices: set[str] = field(default_factory=set)  # sent only when something was chosen


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser shows. path: without the query; problems: the error summary."""

    path: str
    status: int
    text: str
    forms: tuple[PageForm, ...]
    problems: tuple[str, ...]

    def form(self, action: str = "") -> PageForm:
        """The form that goes to this path; without one, the one that goes back to the page itself. Stuck if missing."""
        wanted = action or self.path
        for form in self.forms:
            if form.action.partition("?")[0] == wanted and form.method == "post":
                return form
        raise Stuck(f"{self.path}: 页面上没有到 {wanted} 的表单")


class Browser:
    """One visit with its own cookies. wait: sleeps when the house is busy."""

    def __init__(self, url: str, wait: Callable[[float], None] = time.sleep) -> None:
        self._client = httpx.Client(base_url=url, follow_redirects=True, timeout=30, trust_env=False)
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        self._wait = wait
        self._patience = _PATIENCE

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def open(self, path: str, **query: str) -> Page:
        """Follow a link."""
        return _page(self._send(lambda: self._client.get(path, params=query or None)))

    def save(self, path: str) -> str:
        """The text of a download."""
        return self._send(lambda: self._client.get(path)).content.decode("utf-8-sig")

    def submit(
        self,
        form: PageForm,
        typed: Mapping[str, str] | None = None,
        *,
        button: tuple[str, str] | None = None,
        files: Mapping[str, list[tuple[str, bytes, str]]] | None = None,
    ) -> Page:
        """Fill in and press a button. files: field -> (name, bytes, media type). Stuck for what is not on the page."""
        known = {*form.values, *form.files}
        if unknown := [name for name in (*(typed or {}), *(files or {})) if name not in known]:
            raise Stuck(f"{form.action}: 页面上没有 {', '.join(unknown)}")
        if button is not None and button not in form.buttons:
            raise Stuck(f"{form.action}: 页面上没有按钮 {'='.join(button)}")
        values = {**form.values, **(typed or {}), **dict([button] if button else [])}
        values = {name: value for name, value in values.items() if value or name not in form.choices}
        headers = {"Origin": self._origin}
        if not form.parts:
            return _page(self._send(lambda: self._client.post(form.action, data=values, headers=headers)))
        # A browser sends an empty nameless part for a file field nobody used.
        nothing = [("", b"", "application/octet-stream")]
        chosen = [(name, one) for name in form.files for one in (files or {}).get(name, nothing)]
        body, headers["Content-Type"] = _parts(values, chosen)
        return _page(self._send(lambda: self._client.post(form.action, content=body, headers=headers)))

    def _send(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        while True:
            answer = ask()
            if answer.status_code not in _BUSY or self._patience <= 0:
                return answer
            pause = min(float(answer.headers.get("Retry-After", "1")), self._patience)
            self._patience -= pause
            self._wait(pause)


def _parts(values: Mapping[str, str], chosen: list[tuple[str, tuple[str, bytes, str]]]) -> tuple[bytes, str]:
    """(body, content type) as browsers write multipart/form-data: UTF-8, nothing encoded but quotes."""
    boundary = f"----page{secrets.token_hex(12)}"
    pieces = [f'name="{name}"\r\n\r\n'.encode() + value.encode() for name, value in values.items()]
    pieces += [
        f'name="{name}"; filename="{file.replace(chr(34), "%22")}"\r\nContent-Type: {kind}\r\n\r\n'.encode() + body
        for name, (file, body, kind) in chosen
    ]
    head = f"--{boundary}\r\nContent-Disposition: form-data; ".encode()
    body = b"".join(head + piece + b"\r\n" for piece in pieces) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def _page(answer: httpx.Response) -> Page:
    reader = _Reader(answer.url.path)
    reader.feed(answer.text)
    reader.close()
    page = Page(answer.url.path, answer.status_code, answer.text, tuple(reader.forms), tuple(reader.problems))
    if answer.status_code >= 400 and not page.problems:
        raise Stuck(f"{page.path}: 应答 {answer.status_code}")
    return page


class _Reader(HTMLParser):
    """Collects the forms and the error summary."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self.forms: list[PageForm] = []
        self.problems: list[str] = []
        self._form: PageForm | None = None
        self._area = ""
        self._select = ""
        self._errors = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            parts = given.get("enctype") == "multipart/form-data"
            self._form = PageForm(given.get("action") or self._path, given.get("method", "get").lower(), parts)
            self.forms.append(self._form)
        elif tag == "div" and (self._errors or "errors" in given.get("class", "").split()):
            self._errors += 1
        elif tag == "li" and self._errors:
            self.problems.append("")
        elif self._form is not None and given.get("name"):
            self._field(self._form, tag, given)
        elif tag == "option" and self._form is not None and self._select:
            first = not self._form.values[self._select]
            if first or "selected" in given:
                self._form.values[self._select] = given.get("value", "")

    def _field(self, form: PageForm, tag: str, given: dict[str, str]) -> None:
        name, kind = given["name"], given.get("type", "text")
        if tag == "button":
            form.buttons.append((name, given.get("value", "")))
        elif tag == "textarea":
            self._area = name
            form.values[name] = ""
        elif tag == "select":
            self._select = name
            form.values[name] = ""
        elif tag == "input" and kind == "file":
            form.files.append(name)
        elif tag == "input" and kind in ("radio", "checkbox"):
            if "checked" in given:
                form.values[name] = given.get("value", "on")
            else:
                form.values.setdefault(name, "")
            form.choices.add(name)
        elif tag == "input":
            form.values[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""
        elif tag == "div" and self._errors:
            self._errors -= 1

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form.values[self._area] += data.removeprefix("\n")
        elif self._errors and self.problems:
            self.problems[-1] += data.strip()
