"""The mail benchmark (邮件测速): durable mails a second, against an aiosmtpd that does nothing, in one run.

python -m benchmarks.mail [--seconds 8]   prints a table; exit 1 if the bound is missed

Ten sessions, mails of 5 KB, each unlike every other one; the load comes from a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

from rich.console import Console

from benchmarks.intake import Line, serving, table
from tests.servers.process import free_port

SESSIONS = 10
DURABLE = 0.4  # the bound of the house
TEXT = "事情的经过如下,相关情况已向村委会和街道反映过,一直没有得到明确答复,现有照片和票据可以证明。\r\n"


def mail(number: int) -> bytes:
    """A mail of about 5 KB."""
    head = (
        f"From: =?utf-8?B?5byg56S65L6L?= <citizen{number}@mail.example>\r\nTo: office@office.example\r\n"
        f"Subject: =?utf-8?B?5Y+N5pig6Lev54Gv5LiN5Lqu?= {number}\r\n"
        f"Message-ID: <{number}.{os.getpid()}@mail.example>\r\n"
        "Date: Sun, 22 Nov 2026 08:00:00 +0800\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return (head + TEXT * 34 + f"编号{number}\r\n").encode()


async def _session(port: int, until: float, numbers: list[int], done: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)

    async def say(line: bytes) -> bytes:
        writer.write(line)
        while (answer := await reader.readline())[3:4] == b"-":
            pass
        return answer

    await reader.readline()
    await say(b"EHLO bench.example\r\n")
    while time.perf_counter() < until and numbers:
        number = numbers.pop()
        await say(f"MAIL FROM:<citizen{number}@mail.example>\r\n".encode())
        await say(b"RCPT TO:<office@office.example>\r\n")
        await say(b"DATA\r\n")
        answer = await say(mail(number) + b".\r\n")
        if not answer.startswith(b"250"):
            raise SystemExit(f"a mail was not taken: {answer!r}")
        done.append(time.perf_counter())
    writer.close()


async def load(port: int, seconds: float) -> dict[str, float]:
    """Mails a second over ten sessions; the first tenth only warms up."""
    done: list[float] = []
    begin = time.perf_counter()
    numbers = list(range(int(seconds * 6000)))
    await asyncio.gather(*(_session(port, begin + seconds, numbers, done) for _ in range(SESSIONS)))
    counted = [moment for moment in done if begin + seconds / 10 <= moment <= begin + seconds]
    return {"rate": len(counted) / (seconds * 0.9)}


async def nothing(port: int) -> None:
    """An aiosmtpd that takes every mail and does nothing with it."""
    from aiosmtpd.smtp import SMTP

    class Nothing:
        async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
            return "250 OK"

    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: SMTP(Nothing(), enable_SMTPUTF8=True), "127.0.0.1", port)
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


def _await_port(port: int) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def _measured(port: int, seconds: float) -> float:
    command = [sys.executable, "-m", "benchmarks.mail", "--load", str(port), "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return float(json.loads(done.stdout)["rate"])


def run(seconds: float) -> list[Line]:
    """Both servers, one after the other."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.mail", "--nothing", str(port)])
    try:
        _await_port(port)
        empty = _measured(port, seconds)
    finally:
        process.terminate()
        process.wait()
    http, smtp = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "DATA": folder,
            "HTTP": f"127.0.0.1:{http}",
            "SMTP": f"127.0.0.1:{smtp}",
            "CHANNELS": "web,email",
            "RATE_PER_MINUTE": "1000000000",
            "LOG_LEVEL": "WARNING",
        }
        with serving([sys.executable, "-m", "gateway", "serve", "--no-demo"], http, None, **settings):
            _await_port(smtp)
            ours = _measured(smtp, seconds)
    ratio = ours / empty
    return [
        Line("an aiosmtpd that does nothing", empty),
        Line("durable mail intake", ours, ratio=ratio, of="aiosmtpd", good=ratio >= DURABLE),
    ]


def main() -> int:
    """Measure and print; the exit code says whether the bound was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--load", type=int, default=0)
    parser.add_argument("--nothing", type=int, default=0)
    options = parser.parse_args()
    if options.nothing:
        asyncio.run(nothing(options.nothing))
        return 0
    if options.load:
        print(json.dumps(asyncio.run(load(options.load, options.seconds))))
        return 0
    lines = run(options.seconds)
    Console(width=130).print(table(f"Mail, {SESSIONS} sessions, 5 KB, {os.cpu_count()} cores", lines))
    return 1 if any(line.good is False for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
