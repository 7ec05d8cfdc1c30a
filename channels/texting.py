"""Texting (短信外发): what a door may know and say about text messages that leave the house."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStatus:
    """What the provider tells about a message of ours (送达回执). order: as we gave it with the message;
    message_id: the provider's own; status: its word; error: its code, or empty."""

    order: str
    message_id: str
    status: str
    error: str = ""


class Texting(Protocol):
    """Text messages of the house. A door asks for one by `Arrival.text_to` and promises it only on `Receipt.texted`."""

    @property
    def ready(self) -> bool:
        """Whether text messages leave this house at all: worth asking a person for a mobile."""
        ...

    async def opt_out(self, number: str, word: str) -> None:
        """This number gets none from now on, for good; returns after COMMIT. word: what was sent (STOP, 退订)."""
        ...

    async def opt_in(self, number: str) -> None:
        """This number takes them again; returns after COMMIT."""
        ...

    async def told(self, status: TextStatus) -> None:
        """Note what became of a message; one that is not ours, or known, changes nothing. Returns after COMMIT."""
        ...


class NoTexting:
    """The null twin: a house that sends no text messages and so need not remember who wants none."""

    @property
    def ready(self) -> bool:
        """Nothing leaves."""
        return False

    async def opt_out(self, number: str, word: str) -> None:
        """There is nothing to stop."""

    async def opt_in(self, number: str) -> None:
        """There is nothing to take up again."""

    async def told(self, status: TextStatus) -> None:
        """It cannot be one of ours."""
