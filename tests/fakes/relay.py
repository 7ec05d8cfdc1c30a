"""A mail relay that remembers: a real SMTP server on this machine, in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from config.address import Address
from tests.servers.process import free_port


@dataclass
class Relay:
    """Remembers what it took. mood: "" takes, else the reply to DATA."""

    address: Address
    letters: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    mood: str = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the letter or answer as the mood says."""
        if self.mood:
            return self.mood
        assert isinstance(envelope.content, bytes)
        message: Any = BytesParser(policy=policy.default).parsebytes(envelope.content)
        self.letters.append((envelope.mail_from or "", envelope.rcpt_tos, message))
        return "250 taken"


@contextmanager
def relaying() -> Iterator[Relay]:
    """A relay for the block."""
    relay = Relay(address=Address("127.0.0.1", free_port()))
    controller = Controller(relay, hostname="127.0.0.1", port=relay.address.port)
    controller.start()
    try:
        yield relay
    finally:
        controller.stop()
