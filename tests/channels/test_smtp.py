"""The SMTP listener: sessions that drop, crowd, are encrypted, or are there when the house stops."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from channels import smtp
from channels.email import Email
from channels.smtp import SmtpListener
from tests.fakes.mailroom import CASE, OURS, Desk, hall_for, mail, send


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def listener(desk: Desk, tmp_path: Path) -> AsyncIterator[SmtpListener]:
    opened = await Email().listen(hall_for(desk, tmp_path, limit=200_000))
    assert isinstance(opened, SmtpListener)
    yield opened
    await opened.stop()


async def test_a_sender_who_drops_the_line_does_not_stop_the_commit(listener: SmtpListener, desk: Desk) -> None:
    desk.gate = asyncio.Event()

    def drop() -> None:
        wire = smtplib.SMTP("127.0.0.1", listener.port, timeout=5)
        wire.ehlo("mail.example")
        wire.mail("a@b.example")
        wire.rcpt(OURS)
        assert wire.docmd("DATA")[0] == 354
        assert wire.sock is not None
        wire.sock.sendall(mail().as_bytes().replace(b"\n", b"\r\n") + b"\r\n.\r\n")
        time.sleep(0.2)
        wire.close()

    await asyncio.to_thread(drop)
    await asyncio.sleep(0.1)
    desk.gate.set()
    await asyncio.sleep(0.1)
    assert len(desk.arrivals) == 1


async def test_too_many_mails_and_sessions_come_again_later(
    listener: SmtpListener, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.left = 1
    assert [reply[:3] for reply in await send(listener, mail(), mail())] == ["250", "451"]
    monkeypatch.setattr(smtp, "SESSIONS_OF_ONE", 2)

    def greetings() -> list[bytes]:
        wires = [socket.create_connection(("127.0.0.1", listener.port), timeout=5) for _ in range(4)]
        heard = [wire.recv(200)[:3] for wire in wires]
        for wire in wires:
            wire.close()
        return heard

    assert sorted(await asyncio.to_thread(greetings)) == [b"220", b"220", b"421", b"421"]
    await asyncio.sleep(0.1)
    desk.left = 10
    assert await send(listener, mail()) == [f"250 registered {CASE}"], "places are given back"


async def test_a_stop_finishes_what_is_being_entered(listener: SmtpListener, desk: Desk) -> None:
    desk.gate = asyncio.Event()
    sending = asyncio.create_task(send(listener, mail()))
    await asyncio.sleep(0.3)
    stopping = asyncio.create_task(listener.stop())
    await asyncio.sleep(0.1)
    desk.gate.set()
    await stopping
    assert await sending == [f"250 registered {CASE}"]
    with pytest.raises(ConnectionRefusedError):
        await send(listener, mail())


def certificate(folder: Path) -> Path:
    """A certificate of this test's own."""
    file = folder / "mail.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", file, "-out", folder / "cert.pem"], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (folder / "cert.pem").read_bytes())
    return file


async def test_starttls_and_nothing_said_before_it_counts(desk: Desk, tmp_path: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate(tmp_path))
    opened = await Email().listen(hall_for(desk, tmp_path, tls=tls))
    assert isinstance(opened, SmtpListener)
    trusting = ssl._create_unverified_context()

    def talk(then: Callable[[smtplib.SMTP], Any]) -> Any:
        with smtplib.SMTP("127.0.0.1", opened.port, timeout=10) as wire:
            return then(wire)

    def encrypted(wire: smtplib.SMTP) -> Any:
        wire.starttls(context=trusting)
        return wire.sendmail("a@b.example", [OURS], mail().as_bytes())

    def injected(wire: smtplib.SMTP) -> bytes:
        wire.ehlo()
        assert wire.sock is not None
        wire.sock.sendall(b"STARTTLS\r\nMAIL FROM:<evil@b.example>\r\n")
        assert wire.sock.recv(200).startswith(b"220")
        wire.sock = trusting.wrap_socket(wire.sock)
        wire.sock.sendall(b"RCPT TO:<" + OURS.encode() + b">\r\n")
        return bytes(wire.sock.recv(200))

    assert await asyncio.to_thread(talk, encrypted) == {}
    assert len(desk.arrivals) == 1
    answer = await asyncio.to_thread(talk, injected)
    assert answer[:1] == b"5", "the command slipped in before the handshake was forgotten"
    await opened.stop()
