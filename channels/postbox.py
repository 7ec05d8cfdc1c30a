"""The postbox (收信箱): what the mail door is set to - address, mailboxes, limits, certificate."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from config.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Postbox:
    """mailboxes: our addresses, lower case, and the note of each; none takes every recipient; limit: bytes of a mail.

    own: every address we write from, for loops; trusted: our relays in Authentication-Results; tls: for STARTTLS.
    """

    address: Address
    mailboxes: Mapping[str, str] = field(default_factory=dict)
    limit: int = 30 << 20
    own: frozenset[str] = frozenset()
    trusted: frozenset[str] = frozenset()
    tls: ssl.SSLContext | None = None
    answers: bool = False  # whether acknowledgements can be sent

    def takes(self, recipient: str) -> bool:
        """Whether mail to this address is ours."""
        return not self.mailboxes or recipient.lower() in self.mailboxes

    def note(self, recipients: list[str]) -> str:
        """What the first of our mailboxes among the recipients is noted with."""
        return next((note for one in recipients if (note := self.mailboxes.get(one.lower(), ""))), "")
