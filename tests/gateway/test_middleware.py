"""The middleware: numbers, headers, limits, CSRF and the words of every error, on every kind of answer."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import date
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.api.events import EVENT_MAX
from gateway.limiter import Limiter
from gateway.middleware import HEADERS, client_address
from gateway.routes import GUARDS, STREAMED, Guard
from petition.errors import TooMany
from petition.numbering import case_no
from petition.petition import Form
from tests.houses import API_KEY, Rig, running_house
from tests.multipart import multipart
from tests.signing import SECRET, signed

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

PATH = "/api/v1/petitions"
GOOD = {"content": "样例小学门口是丁字路口,建议增设信号灯。"}
NUMBER = case_no("620000", Form.APP, date(2026, 11, 22), 1)
MAX_BODY, MAX_UPLOAD = 20_000, 50_000
JSON = {"Content-Type": "application/json"}
PARTS = {"Content-Type": "multipart/form-data; boundary=a"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    data = tmp_path_factory.mktemp("hall")
    keys = (f"sample:{API_KEY}",)
    with running_house(data, max_body=MAX_BODY, max_upload=MAX_UPLOAD, api_keys=keys, routing_secret=SECRET) as running:
        yield running


# label, method, path, how, status
ANSWERS: list[tuple[str, str, str, dict[str, object], int]] = [
    ("a page", "GET", "/", {}, 200),
    ("a head", "HEAD", "/", {}, 200),
    ("a picture", "GET", "/static/css/site.css", {}, 0),
    ("a redirect", "GET", "/file/story", {}, 303),
    ("a page that is not there", "GET", "/nowhere", {}, 404),
    ("a page that cannot be posted", "POST", "/guide", {}, 405),
    ("a form from elsewhere", "POST", "/file", {"data": {"_csrf": "x"}}, 403),
    ("a form in the wrong coding", "POST", "/file", {"content": b"--a--", "headers": PARTS}, 415),
    ("a petition", "POST", PATH, {"json": GOOD}, 201),
    ("a bad petition", "POST", PATH, {"json": {}}, 422),
    ("a petition too large", "POST", PATH, {"content": b" " * 30_000, "headers": JSON}, 413),
    ("another method", "DELETE", PATH, {}, 405),
    ("options", "OPTIONS", PATH, {}, 405),
    ("a method of one's own", "PROPFIND", PATH, {}, 405),
    ("a method of one's own for a page", "PROPFIND", "/", {}, 405),
    ("the API's nowhere", "GET", "/api/v1/nowhere", {}, 404),
    ("a case nobody knows", "GET", f"{PATH}/1", {"headers": {"X-Query-Code": "1"}}, 404),
    ("a wrong key", "GET", f"{PATH}/{NUMBER}", {"headers": {"X-API-Key": "wrong"}}, 401),
    ("alive", "GET", "/healthz", {}, 200),
    ("not ready without its threads", "GET", "/readyz", {}, 503),
    ("metrics", "GET", "/metrics", {}, 200),
    ("the document", "GET", "/api/v1/openapi.json", {}, 200),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "how", "status"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
def test_every_answer_is_numbered_and_safe(
    rig: Rig, method: str, path: str, how: dict[str, object], status: int
) -> None:
    if path.startswith("/static"):
        path = re.search(r'href="(/static/[^"]+\.css[^"]*)"', rig.client.get("/").text)[1]  # type: ignore[index]
    answer = rig.client.request(method, path, **how)  # type: ignore[arg-type]
    assert answer.status_code == (status or 200)
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-Id"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Server"] == "gateway"
    machine = path.startswith(("/api/", "/healthz", "/readyz", "/metrics"))
    if machine:
        assert answer.headers["Cache-Control"] == "no-store"
    else:
        assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
    if answer.status_code >= 400 and method != "HEAD":
        _an_error_in_its_tongue(answer, machine)


def _an_error_in_its_tongue(answer: httpx.Response, machine: bool) -> None:
    if machine:
        assert answer.headers["Content-Type"] == "application/problem+json"
        told = answer.json()
        assert told["status"] == answer.status_code
        assert re.fullmatch("[a-z_0-9]+", told["code"])
        assert any("\u4e00" <= sign <= "\u9fff" for sign in told["detail"])
    else:
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "<h1" in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", [PATH, "/guide", "/healthz", "/api/v1/openapi.json"])
def test_405_says_what_is_allowed(rig: Rig, path: str) -> None:
    allowed = rig.client.request("PATCH", path).headers["Allow"].split(",")
    assert set(allowed) == {"POST"} if path == PATH else {"GET", "HEAD"}


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


class TestNumbers:
    @pytest.mark.parametrize("given", ["req-2026.11_22", "a" * 64])
    def test_a_number_of_the_caller_is_kept(self, rig: Rig, given: str) -> None:
        assert rig.client.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given

    @pytest.mark.parametrize(
        "given", ["", "short", "a" * 65, "with blank in", "<script>aaaa", "线号线号线号线号".encode(), "a\tbcdefgh"]
    )
    def test_another_one_is_replaced(self, rig: Rig, given: str | bytes) -> None:
        number = rig.client.get("/healthz", headers=[(b"X-Request-Id", _bytes(given))]).headers["X-Request-Id"]
        assert re.fullmatch("[0-9a-f]{16}", number)

    def test_no_two_are_equal(self, rig: Rig) -> None:
        assert len({rig.client.get("/healthz").headers["X-Request-Id"] for _ in range(50)}) == 50


class TestSizes:
    @pytest.mark.parametrize(
        ("label", "size", "status"), [("just fits", MAX_BODY - 100, 403), ("too large", MAX_BODY + 1, 413)]
    )
    def test_a_form(self, rig: Rig, label: str, size: int, status: int) -> None:
        answer = rig.client.post("/file", content=b"title=" + b"a" * (size - 6), headers=FORM)
        assert answer.status_code == status, label

    def test_a_form_without_length(self, rig: Rig) -> None:
        pieces = (b"a" * 1000 for _ in range(100))
        assert rig.client.post("/file", content=pieces, headers=FORM).status_code == 413

    def test_a_form_with_files(self, rig: Rig) -> None:
        body, kind = multipart(("_csrf", b"x", None), ("files", bytes(MAX_BODY + MAX_UPLOAD), "a"))
        assert rig.client.post("/file/evidence", content=body, headers={"Content-Type": kind}).status_code == 413

    def test_an_event(self, rig: Rig) -> None:
        assert rig.client.post("/api/v1/routing/events", content=bytes(EVENT_MAX + 1)).status_code == 413


class TestCsrf:
    """A form counts only if our own page in the same browser made it."""

    @pytest.fixture
    def browser(self, rig: Rig) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=rig.url, trust_env=False) as client:
            yield client

    @staticmethod
    def token(browser: httpx.Client) -> str:
        found = re.search(r'name="_csrf" value="([0-9a-f]+)"', browser.get("/file").text)
        assert found is not None
        return found[1]

    def test_our_own_form(self, browser: httpx.Client, rig: Rig) -> None:
        token = self.token(browser)
        assert browser.post("/file", data={"_csrf": token}, headers={"Origin": rig.url}).status_code == 303
        assert browser.post("/file", data={"_csrf": token}).status_code == 303, "old browsers send no Origin"
        assert browser.post("/file", headers={"X-CSRF-Token": token, **FORM}).status_code == 303, "as scripts do"

    @pytest.mark.parametrize(
        ("label", "form", "headers"),
        [
            ("no token", {}, {}),
            ("a wrong token", {"_csrf": "0" * 40}, {}),
            ("a token not ASCII", {"_csrf": "令牌"}, {}),
            ("half a character", {"_csrf": "\ud800"}, {}),
            ("another site", None, {"Origin": "https://example.com"}),
            ("another port", None, {"Origin": "http://127.0.0.1:1"}),
            ("a wrong token in the header", None, {"X-CSRF-Token": "0" * 40}),
        ],
    )
    def test_forms_that_do_not_count(
        self, browser: httpx.Client, label: str, form: dict[str, str] | None, headers: dict[str, str]
    ) -> None:
        token = self.token(browser)
        body = "&".join(f"{name}={value}" for name, value in (form if form is not None else {"_csrf": token}).items())
        answer = browser.post("/file", content=body.encode("utf-8", "surrogatepass"), headers={**FORM, **headers})
        assert answer.status_code == (400 if label == "half a character" else 403), label
        assert "draft" not in answer.cookies

    def test_a_token_of_another_browser(self, browser: httpx.Client, rig: Rig) -> None:
        with httpx.Client(base_url=rig.url, trust_env=False) as other:
            token = self.token(other)
        self.token(browser)
        assert browser.post("/file", data={"_csrf": token}).status_code == 403

    def test_a_token_without_its_cookie(self, browser: httpx.Client, rig: Rig) -> None:
        assert httpx.post(f"{rig.url}/file", data={"_csrf": self.token(browser)}, trust_env=False).status_code == 403

    def test_parts_are_no_way_around_the_token(self, browser: httpx.Client) -> None:
        """A page elsewhere can send multipart as well: only pages that take files read it, and they check."""
        self.token(browser)
        body, kind = multipart(("manner", b"self", None))
        forms = [path for (method, path), guard in GUARDS.items() if method == "POST" and guard is Guard.FORM]
        assert set(forms) > STREAMED
        for path in set(forms) - STREAMED:
            url = path.replace("{place}", "1").replace("{upload}", "1")
            # Nobody opened a petition for joining here: that is said before anything is read.
            told = 404 if "{token}" in path else 415
            assert browser.post(url, content=body, headers={"Content-Type": kind}).status_code == told, path

    def test_the_file_form_checks_before_the_first_file(self, browser: httpx.Client) -> None:
        browser.post("/file", data={"_csrf": self.token(browser)})
        body, kind = multipart(("files", b"\x89PNG\r\n\x1a\n", "a.png"), ("_csrf", self.token(browser).encode(), None))
        assert browser.post("/file/evidence", content=body, headers={"Content-Type": kind}).status_code == 403

    def test_cookies_are_for_this_house_only(self, browser: httpx.Client) -> None:
        set_by = [browser.get("/file").headers["Set-Cookie"]]
        set_by.append(browser.post("/file", data={"_csrf": self.token(browser)}).headers["Set-Cookie"])
        for cookie in set_by:
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie

    def test_machines_get_no_cookie(self, rig: Rig) -> None:
        for path in ("/healthz", "/metrics", "/api/v1/openapi.json", f"{PATH}/1"):
            assert "Set-Cookie" not in rig.client.get(path).headers


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A house behind a proxy where three submissions a minute are enough."""
    with running_house(tmp_path_factory.mktemp("busy"), rate_per_minute=3, trusted_proxies=("127.0.0.0/8",)) as running:
        yield running


class TestRates:
    @pytest.mark.parametrize(
        ("label", "method", "path", "rate"),
        [("the API", "POST", PATH, 3), ("forms", "POST", "/file", 3), ("codes", "GET", f"{PATH}/1", 60)],
    )
    def test_too_many(self, busy: Rig, label: str, method: str, path: str, rate: int) -> None:
        from_here = {"X-Forwarded-For": f"10.0.0.{rate}{len(label)}"[:12]}
        how = {"json": GOOD} if path == PATH else {}
        answers = [busy.client.request(method, path, headers=from_here, **how) for _ in range(rate + 2)]  # type: ignore[arg-type]
        assert 429 not in [answer.status_code for answer in answers[:rate]], label
        last = answers[-1]
        assert last.status_code == 429
        assert 1 <= int(last.headers["Retry-After"]) <= 60
        assert busy.client.request(method, path, headers={"X-Forwarded-For": "10.9.9.9"}, **how).status_code != 429  # type: ignore[arg-type]

    def test_reading_a_page_is_never_too_much(self, busy: Rig) -> None:
        assert {busy.client.get("/").status_code for _ in range(20)} == {200}
        assert {busy.client.head("/").status_code for _ in range(20)} == {200}

    def test_who_signs_wrongly_is_held_back_and_a_good_signer_is_not(self, tmp_path: Path) -> None:
        events = "/api/v1/routing/events"
        body = b'{"case_no": "nonsense", "event": "accept"}'
        with running_house(tmp_path, rate_per_minute=2, routing_secret=SECRET) as house:
            assert [house.client.post(events, json={}).status_code for _ in range(4)] == [401, 401, 429, 429]
            good = [house.client.post(events, content=body, headers=signed(body)).status_code for _ in range(4)]
            assert good == [404] * 4


def test_a_bucket_refills_and_forgets_the_ones_long_unseen() -> None:
    now = 0.0
    limiter = Limiter(60, 2, lambda: now)
    limiter.check("a")
    limiter.check("a")
    with pytest.raises(TooMany) as caught:
        limiter.check("a")
    assert caught.value.retry_after >= 1
    now = 1.0
    limiter.check("a")
    with pytest.raises(TooMany):
        limiter.check("a")
    limiter.check("b")


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("10.0.0.1", "203.0.113.7", ("10.0.0.0/8",), "203.0.113.7"),
        ("203.0.113.9", "1.2.3.4", ("10.0.0.0/8",), "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7", ("10.0.0.0/8",), "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.2", ("10.0.0.0/8",), "203.0.113.7"),
        ("10.0.0.1", "", ("10.0.0.0/8",), "10.0.0.1"),
        ("10.0.0.1", "nonsense", ("10.0.0.0/8",), "nonsense"),
        ("10.0.0.1", "203.0.113.7", (), "10.0.0.1"),
        ("::1", "2001:db8::1", ("::1/128",), "2001:db8::1"),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: str, trusted: tuple[str, ...], address: str) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=peer)
    assert client_address(request, tuple(ip_network(one) for one in trusted)) == address


class TestDrain:
    def test_who_still_comes_is_sent_away_politely(self, tmp_path: Path) -> None:
        with running_house(tmp_path) as house:
            assert house.client.get("/healthz").status_code == 200
            house.drain.on = True
            for path in ("/", PATH, "/api/v1/openapi.json", "/nowhere"):
                answer = house.client.get(path)
                assert (answer.status_code, answer.headers["Connection"]) == (503, "close"), path
                assert int(answer.headers["Retry-After"]) >= 1
            told = house.client.post(PATH, json=GOOD)
            assert told.json()["code"] == "unavailable"
            assert told.json()["retryable"] is True
            house.drain.on = False
            assert house.balance().received == 0

    def test_who_is_inside_is_counted(self, tmp_path: Path) -> None:
        with running_house(tmp_path) as house:
            crowd = [threading.Thread(target=house.client.post, args=(PATH,), kwargs={"json": GOOD}) for _ in range(8)]
            for one in crowd:
                one.start()
            for one in crowd:
                one.join()
            assert house.drain.inside == 0


def test_strange_methods_do_not_fill_the_metrics(rig: Rig) -> None:
    for number in range(20):
        rig.client.request(("PROPFIND", "MKCOL", "PURGE", "REPORT")[number % 4], "/healthz")
    text = rig.client.get("/metrics").text
    assert "PROPFIND" not in text
    assert 'method="other"' in text


def test_refusals_are_kept_but_a_flood_of_them_is_only_counted(tmp_path: Path) -> None:
    with running_house(tmp_path) as house:
        for _ in range(200):
            assert (
                house.client.post(PATH, content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
            )
        balance = house.balance()
        assert 100 <= balance.refused <= 150
        assert (balance.received, balance.gap) == (balance.refused, 0)
        assert 'gateway_refusals_total{channel="rest"} 200.0' in house.client.get("/metrics").text
