"""Texting (短信外发): what a door may know and say about text messages that leave the house."""

from __future__ import annotations

from typing import Protocol


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
