"""`gateway demo` against a real `gateway serve`: every sample of an open channel arrives, once, where it belongs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filetype
import httpx
import pytest

from channels.registry import DOORS
from gateway.demo.browser import Browser, Stuck
from gateway.demo.journeys import JOURNEYS
from gateway.demo.papers import MEDIA_TYPES, paper
from gateway.demo.samples import Sample, load_calls, load_samples
from petition.identity import check_resident_id, check_uscc
from petition.petition import Form
from tests.houses import running_house
from tests.servers.process import free_port

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

ROOT = Path(__file__).parents[2]
UNITS = {
    1: "620102-housing",
    2: "620105-traffic",
    3: "620902-labour_inspection",
    4: "620702199-township_government",
    5: "620103-urban_management",
    6: "621202-natural_resources",
    7: "620402-political_legal",
    12: "620982-civil_affairs",
}
FORMS = {
    1: Form.WEB,
    2: Form.APP,
    3: Form.WECHAT,
    4: Form.KIOSK,
    5: Form.HOTLINE,
    6: Form.SMS,
    7: Form.EMAIL,
    12: Form.WEB,
}


@dataclass(frozen=True)
class Gateway:
    """A gateway in a process of its own."""

    url: str
    environment: dict[str, str]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `gateway ...` beside it."""
        return subprocess.run(
            [sys.executable, "-m", "gateway", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    yield from started(tmp_path_factory.mktemp("demo"), {})


def started(data: Path, more: dict[str, str]) -> Iterator[Gateway]:
    """A gateway over this folder, with these settings on top; it must stop cleanly."""
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")},
        "GATEWAY_DATA": str(data),
        "GATEWAY_HTTP": f"127.0.0.1:{port}",
        "GATEWAY_MIN_FREE": "1",
        "GATEWAY_CHANNELS": "web,rest,email,sms,hotline,wechat",
        "GATEWAY_SMTP": f"127.0.0.1:{free_port()}",
        "GATEWAY_API_KEYS": "hotline:a-key-of-the-demo-tests",
        "GATEWAY_TWILIO_AUTH_TOKEN": "a-token-of-the-demo-tests",
        "GATEWAY_WECHAT_TOKEN": "a-token-of-the-demo-tests",
        "GATEWAY_WECHAT_APP_ID": "wxdemo0000000001",
        "GATEWAY_WECHAT_AES_KEY": "abcDEF0123456789abcDEF0123456789abcDEF01234",
        "GATEWAY_RATE_PER_MINUTE": "100000",
        "GATEWAY_LOG_LEVEL": "WARNING",
        "PYTHONIOENCODING": "utf-8",
        **more,
    }
    log = (data / "log").open("wb")
    server = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "gateway", "serve", "--no-demo"],
        cwd=ROOT,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/readyz", server, data / "log")
        yield Gateway(f"http://127.0.0.1:{port}", environment)
        server.send_signal(signal.SIGTERM)
        assert server.wait(15) == 0, (data / "log").read_text()[-2000:]
        assert "unexpected error" not in (data / "log").read_text()
    finally:
        server.kill()
        server.wait()
        log.close()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and server.poll() is None:
        try:
            if httpx.get(url, timeout=1, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"the gateway did not start:\n{log.read_text()[-2000:]}")


def sample_of(row: dict[str, Any]) -> Sample:
    """The sample a record was made from; a text message has no title of its own."""
    return next(one for one in load_samples() if one.title == row["title"] or one.content in row["content"])


@pytest.mark.slow
class TestDemo:
    def test_every_sample_of_an_open_channel_arrives(self, gateway: Gateway) -> None:
        ran = gateway.command("demo")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        lines = {int(found[1]): found[0] for found in re.finditer(r"^[✓✗·] +(\d+) .*$", ran.stdout, re.M)}
        assert sorted(lines) == list(range(1, 13))
        for number, line in lines.items():
            opened = number in UNITS
            assert line.startswith("✓" if opened else "·"), line
            assert opened != ("渠道尚未开放" in line), line
        assert "HOUSING" in ran.stdout
        assert "另一件" not in ran.stdout
        assert "对账" in ran.stdout

        exported = gateway.command("export", "petitions")
        rows = [json.loads(line) for line in exported.stdout.splitlines()]
        assert {sample_of(row).n: row["unit"] for row in rows} == UNITS
        assert {sample_of(row).n: row["form"] for row in rows} == FORMS
        for row in rows:
            sample = sample_of(row)
            assert row["purpose"] == sample.purpose
            assert row["problem_region"] == sample.region
            if sample.channel not in ("web", "rest"):
                continue  # a text or a call brings no papers, a mail no roles
            assert [file["name"] for file in row["attachments"]] == [file.name for file in sample.files]
            assert [file["role"] for file in row["attachments"]] == [file.role for file in sample.files]
            assert [person["role"] for person in row["petitioners"]] == [person.role for person in sample.people]

    def test_a_second_run_is_as_many_more_cases_and_the_books_balance(self, gateway: Gateway) -> None:
        before = json.loads(gateway.command("reconcile", "--json").stdout)["total"]
        ran = gateway.command("demo", "--url", gateway.url)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        books = gateway.command("reconcile", "--json")
        after = json.loads(books.stdout)["total"]
        assert books.returncode == 0
        assert after["petitions"] - before["petitions"] == len(UNITS)
        assert (after["dispatched"], after["gap"]) == (after["petitions"], 0)
        assert gateway.command("ledger", "verify").returncode == 0

    def test_elsewhere_it_says_where_to_reconcile(self, gateway: Gateway, tmp_path: Path) -> None:
        away = Gateway(gateway.url, {**gateway.environment, "GATEWAY_DATA": str(tmp_path / "empty")})
        ran = away.command("demo", "--url", gateway.url)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "gateway reconcile" in ran.stdout
        assert not (tmp_path / "empty").exists(), "looking elsewhere makes no data folder and no key"

    def test_nobody_there_is_a_sentence(self, gateway: Gateway) -> None:
        ran = gateway.command("demo", "--url", f"http://127.0.0.1:{free_port()}")
        assert ran.returncode == 1
        assert "gateway serve" in ran.stderr
        assert "Traceback" not in ran.stderr


@pytest.mark.slow
def test_what_does_not_arrive_is_told(gateway: Gateway, tmp_path: Path) -> None:
    """A house whose way out stands still: filed, but not dispatched; the demo must not call that a success."""
    with running_house(tmp_path) as house:
        environment = {**gateway.environment, "GATEWAY_DATA": str(tmp_path)}
        ran = Gateway(house.url, environment).command("demo", "--url", house.url, "--wait", "0.2")
    assert ran.returncode == 1
    assert "没有转出" in ran.stdout


def test_the_samples_are_nobody() -> None:
    samples = load_samples()
    assert [sample.n for sample in samples] == list(range(1, 13))
    for sample in samples:
        for person in sample.people:
            assert person.id_no.startswith("620199")
            assert check_resident_id(person.id_no).ok
            assert not person.mobile or person.mobile.startswith("154000000")
    assert not check_uscc("91620199MA7FAKE016").ok
    assert JOURNEYS.keys() == {sample.channel for sample in (*samples, *load_calls())} & set(DOORS)


def test_every_channel_has_its_sample() -> None:
    forms = Counter(sample.form for sample in load_samples())
    assert set(forms) >= {Form.WEB, Form.APP, Form.WECHAT, Form.KIOSK, Form.HOTLINE, Form.SMS, Form.EMAIL}
    assert set(forms) >= {Form.LETTER, Form.VISIT, Form.VIDEO}


def test_papers_are_what_their_names_say() -> None:
    seen = set()
    for sample in load_samples():
        for file in sample.files:
            body = paper(file, sample.title)
            kind = filetype.guess(body)
            assert (kind.mime if kind else "text/plain") == MEDIA_TYPES[file.kind]
            assert body == paper(file, sample.title), "the same every time"
            seen.add(body)
    assert len(seen) == sum(len(sample.files) for sample in load_samples())


class TestBrowser:
    @pytest.fixture(scope="class")
    @classmethod
    def url(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
        with running_house(tmp_path_factory.mktemp("browser")) as house:
            yield house.url

    def test_a_form_without_its_answer_comes_back_with_words(self, url: str) -> None:
        with Browser(url) as browser:
            page = browser.submit(browser.open("/file").form("/file"))
            assert page.path == "/file/who"
            page = browser.submit(page.form())
            assert page.problems == ("请选择您是替谁反映。",)

    def test_what_is_not_on_the_page_cannot_be_sent(self, url: str) -> None:
        with Browser(url) as browser:
            page = browser.submit(browser.open("/file").form("/file"))
            with pytest.raises(Stuck, match="nonsense"):
                browser.submit(page.form(), {"nonsense": "1"})
            with pytest.raises(Stuck, match="do=nonsense"):
                browser.submit(page.form(), button=("do", "nonsense"))
            with pytest.raises(Stuck, match="/elsewhere"):
                page.form("/elsewhere")

    def test_a_page_that_is_not_there(self, url: str) -> None:
        with Browser(url) as browser, pytest.raises(Stuck, match="404"):
            browser.open("/nowhere")

    def test_a_busy_house_is_asked_again_after_a_while(self, tmp_path: Path) -> None:
        waited: list[float] = []
        with running_house(tmp_path, rate_per_minute=1) as house, Browser(house.url, waited.append) as browser:
            form = browser.open("/file").form("/file")
            browser.submit(form)
            with pytest.raises(Stuck, match="429"):
                browser.submit(form)
        assert sum(waited) == pytest.approx(90)
