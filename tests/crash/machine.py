"""The machine room (机房): gateway, router and senders as processes of their own; nothing outlives its block."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash.ways import SETTINGS
from tests.fakes.router import SECRET

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
ANSWER_SECONDS = 15.0


class NotReady(RuntimeError):
    """A process did not come up; says its last words."""


def quiet_port(chance: random.Random) -> int:
    """A free port below those the kernel gives to clients: a client that retries must not take it, or meet itself."""
    for _ in range(200):
        port = chance.randrange(12_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise NotReady("no free port")


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without any setting of a gateway, and what was given."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("GATEWAY_")}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


def spawn(command: list[str], log: Path, more: Mapping[str, str], stdin: int = subprocess.DEVNULL) -> Process:
    """A child that the kernel kills when this process is gone."""
    with log.open("ab") as output:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment(more),
            start_new_session=True,
        )


Process = subprocess.Popen[bytes]


def end(process: Process | None) -> None:
    """Kill it if it lives, and take note of its end."""
    if process is None:
        return
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. seconds: until the whole answer was there."""

    status: int
    body: Any
    headers: Mapping[str, str]
    seconds: float


def ask(
    port: int, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, timeout: float = 15.0
) -> Answer:
    """One request on a connection of its own: POST with a body, else GET; OSError or HTTPException when it breaks."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        given = {"Content-Type": "application/json"} if body is not None else {}
        connection.request("GET" if body is None else "POST", path, body, {**given, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
        kind = answer.headers.get("Content-Type", "")
        return Answer(
            answer.status,
            json.loads(text) if "json" in kind else text.decode(),
            dict(answer.headers),
            time.monotonic() - began,
        )
    finally:
        connection.close()


@dataclass(slots=True)
class Gateway:
    """The gateway, by its own command line; may be killed and started again. sabotage: a name of `sabotage.PLANTED`.

    With a broker among the settings a worker of its own is started, killed and stopped with it.
    """

    data: Path
    port: int
    smtp: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    sabotage: str = ""
    process: Process | None = None
    worker: Process | None = None
    starts: int = 0

    @property
    def log(self) -> Path:
        """Everything it said, over all starts."""
        return self.data.parent / f"{self.data.name}.log"

    def _environment(self) -> dict[str, str]:
        address = f"127.0.0.1:{self.port}"
        return {
            "GATEWAY_DATA": str(self.data),
            "GATEWAY_HTTP": address,
            "GATEWAY_PUBLIC_URL": f"http://{address}",
            "GATEWAY_RATE_PER_MINUTE": "10000000",
            "GATEWAY_TRUSTED_PROXIES": "127.0.0.0/8",  # the senders come from many addresses
            "GATEWAY_MIN_FREE": "0",
            "GATEWAY_LOG_LEVEL": "WARNING",
            "GATEWAY_SMTP": f"127.0.0.1:{self.smtp}",
            **SETTINGS,
            **self.settings,
        }

    def _program(self) -> list[str]:
        launcher = ["tests.crash.sabotage", self.sabotage] if self.sabotage else ["gateway"]
        return [sys.executable, "-m", *launcher]

    def start(self) -> float:
        """Start and wait for readiness; the seconds it took."""
        began = time.monotonic()
        self.spawn()
        self.wait_ready()
        return time.monotonic() - began

    def spawn(self) -> None:
        """Start and do not wait."""
        self.kill()
        self.starts += 1
        self.process = spawn([*self._program(), "serve", "--no-demo"], self.log, self._environment())
        if "GATEWAY_BROKER_URL" in self.settings:
            self.worker = spawn([*self._program(), "worker"], self.log, self._environment())

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Until /readyz answers 200; raises NotReady."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process is None or self.process.poll() is not None:
                break
            with suppress(OSError, http.client.HTTPException):
                if ask(self.port, "/readyz", timeout=5).status == 200:
                    return
            time.sleep(0.01)
        raise NotReady(f"the gateway is not ready:\n{self.last_words()}")

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def errors(self) -> list[str]:
        """Lines of its log that tell of an error of ours."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return [line[:600] for line in lines if '"level": "error"' in line or line.startswith("Traceback")]

    def kill(self) -> None:
        """kill -9."""
        end(self.process)
        end(self.worker)

    def stop(self, seconds: float = 20.0) -> tuple[int, float]:
        """SIGTERM; exit code (of the first that did not end well) and seconds until it was gone."""
        began = time.monotonic()
        codes = []
        for process in (self.process, self.worker):
            if process is None:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                codes.append(process.wait(seconds))
            except subprocess.TimeoutExpired:
                codes.append(-signal.SIGALRM)
        return next((code for code in codes if code), 0), time.monotonic() - began

    def command(self, *arguments: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Another command of the gateway on the same data: never sabotaged."""
        return subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            cwd=ROOT,
            env=environment(self._environment()),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def open_orders(self) -> int:
        """Orders that have not left."""
        text = str(ask(self.port, "/metrics").body)
        return sum(
            int(float(one.rpartition(" ")[2]))
            for one in text.splitlines()
            if one.startswith("gateway_outbox_orders{") and 'state="open"' in one
        )


@contextmanager
def gateway(
    data: Path, settings: Mapping[str, str] | None = None, *, sabotage: str = "", seed: int | None = None
) -> Iterator[Gateway]:
    """A gateway that is not started yet, on a port of its own; gone after the block."""
    chance = random.Random(seed)
    made = Gateway(data, quiet_port(chance), quiet_port(chance), dict(settings or {}), sabotage)
    try:
        yield made
    finally:
        made.kill()


def posing(url: str) -> dict[str, str]:
    """The settings that send petitions to a router."""
    return {"GATEWAY_ROUTING_URL": url, "GATEWAY_ROUTING_SECRET": SECRET}


@dataclass(slots=True)
class RouterProcess:
    """The misbehaving router of tests/fakes, outside of every process of ours."""

    journal: Path
    port: int
    calls: int = 0
    forged: int = 0
    process: Process | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, seed: int, moods: Mapping[str, float], hang: float) -> None:
        """(Re)start with these moods; what it did before it still knows from its journal."""
        self.note()
        end(self.process)
        command = [sys.executable, "-m", "tests.fakes.router", "--port", str(self.port), "--seed", str(seed)]
        command += ["--journal", str(self.journal), "--hang-seconds", str(hang)]
        for name, share in moods.items():
            command += [f"--{name}", str(share)]
        self.process = spawn(command, self.journal.with_suffix(".log"), {})
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            with suppress(OSError, http.client.HTTPException):
                ask(self.port, "/deliveries")
                return
            time.sleep(0.02)
        raise NotReady("the router did not start")

    def note(self) -> None:
        """Add up what it counted before it is ended."""
        if self.process is not None and self.process.poll() is None:
            with suppress(OSError, http.client.HTTPException):
                told = ask(self.port, "/deliveries").body
                self.calls += int(told["calls"])
                self.forged += int(told["forged"])

    def entries(self) -> list[tuple[str, str]]:
        """(key, case number) of everything it took over, in order."""
        if not self.journal.exists():
            return []
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [(str(line["key"]), str(line["case_no"])) for line in lines]


@contextmanager
def router(journal: Path, seed: int) -> Iterator[RouterProcess]:
    """A router that is not started yet; gone after the block."""
    made = RouterProcess(journal, quiet_port(random.Random(f"router {seed}")))
    try:
        yield made
    finally:
        end(made.process)


@dataclass(slots=True)
class Senders:
    """The senders' process. record: the file it writes at its end."""

    record: Path
    process: Process

    def finish(self, seconds: float) -> None:
        """Take nothing new, send what was begun until it is acknowledged; at most so many seconds."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()
        self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise NotReady("the senders came to no end") from None
        if code != 0:
            log = self.record.with_suffix(".log").read_text(errors="replace")
            raise NotReady(f"the senders failed:\n{log[-3000:]}")


@contextmanager
def senders(
    record: Path, house: Gateway, seed: int, *, connections: int = 48, most: int = 100_000
) -> Iterator[Senders]:
    """Senders at work; gone after the block."""
    command = [sys.executable, "-m", "tests.crash.senders", "send", str(house.port), str(record)]
    command += ["--smtp", str(house.smtp), "--seed", str(seed), "--connections", str(connections), "--most", str(most)]
    process = spawn(command, record.with_suffix(".log"), {}, stdin=subprocess.PIPE)
    try:
        yield Senders(record, process)
    finally:
        end(process)


def look_up(record: Path, port: int, seconds: float = 120.0) -> None:
    """Open every case by its query code, as its sender would, and add to the record what was found."""
    process = spawn(
        [sys.executable, "-m", "tests.crash.senders", "look", str(port), str(record)], record.with_suffix(".log"), {}
    )
    try:
        Senders(record, process)._wait(seconds)
    finally:
        end(process)
