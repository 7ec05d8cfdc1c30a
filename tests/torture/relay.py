"""The relay under torture (邮件): passes on spoilt mails over real SMTP."""

from __future__ import annotations

import secrets
import smtplib

from tests.houses import Rig
from tests.torture.mutator import Mutator
from tests.torture.senders import NUMBER, OURS, REPEATED, SAMPLES, Send
from tests.torture.tally import Tally


class Email:
    """A relay that passes on whatever it got."""

    channel = "email"
    to = OURS

    def __init__(self, rig: Rig, mutator: Mutator) -> None:
        self.tally = Tally(self.channel)
        self._port = rig.smtp
        self._mutator = mutator
        self._seeds = [path.read_bytes() for path in sorted((SAMPLES / "email").glob("*.eml"))]
        self._wire: smtplib.SMTP | None = None

    def hard(self) -> list[Send]:
        """The samples as they are."""
        return [lambda raw=raw: self._send(raw) for raw in self._seeds]  # type: ignore[misc]

    def mutant(self) -> None:
        """A sample with spoilt bytes, most of them with an id of their own."""
        raw = self._mutator.spoil(self._mutator.pick(self._seeds), self._seeds)
        if self._mutator.chance(0.7):
            raw = b"Message-ID: <%s@mail.example>\r\n" % secrets.token_hex(8).encode() + raw
        first = self._send(raw)
        if self._mutator.chance(REPEATED):
            again = self._send(raw)
            if first != again:
                self.tally.bad(f"sent twice, answered {first} and then {again}")

    def race(self) -> list[Send]:
        """One good mail over several connections at the same moment."""
        raw = self.fresh()

        def alone() -> None:
            with smtplib.SMTP("127.0.0.1", self._port, timeout=30) as wire:
                wire.ehlo("mail.example")
                self._data(wire, raw)

        return [alone] * 4

    def fresh(self) -> bytes:
        """A good mail nobody has sent yet."""
        return b"Message-ID: <%s@mail.example>\r\n" % secrets.token_hex(8).encode() + self._seeds[0]

    def close(self) -> None:
        """Hang up."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _send(self, raw: bytes) -> str:
        for _ in range(3):
            try:
                if self._wire is None:
                    self._wire = smtplib.SMTP("127.0.0.1", self._port, timeout=30)
                    self._wire.ehlo("mail.example")
                return self._data(self._wire, raw)
            except (smtplib.SMTPServerDisconnected, ConnectionError):
                self.close()
        self.tally.bad(f"the line dropped three times for {raw[:200]!r}")
        return ""

    def _data(self, wire: smtplib.SMTP, raw: bytes) -> str:
        wire.mail("zhang@mail.example")
        wire.rcpt(self.to)
        code, words = wire.data(raw)
        said = f"{code} {words.decode('utf-8', 'replace')}"
        self.tally.sent += 1
        self.tally.answers[said.rpartition(" ")[0] if "registered" in said else said] += 1
        if code == 500 or code == 552:  # a line or a mail too long for SMTP: it stays with the relay
            return said
        self.tally.reached += 1
        if code != 250:
            self.tally.bad(f"{said} to {raw[:200]!r}")
        for number in NUMBER.findall(said):
            self.tally.acknowledged(number)
        return said
