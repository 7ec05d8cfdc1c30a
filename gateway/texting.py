"""Texting (短信外发): what the doors are told of it; implements `channels.texting.Texting` over the store."""

from __future__ import annotations

from store import opt_outs
from store.database import Store


class HouseTexting:
    """Opt-outs of this house. ready: whether a way for text messages is set up."""

    def __init__(self, store: Store, *, ready: bool) -> None:
        self._store = store
        self._ready = ready

    @property
    def ready(self) -> bool:
        """Whether text messages leave this house."""
        return self._ready

    async def opt_out(self, number: str, word: str) -> None:
        """Kept for good, also while nothing is sent: it may be tomorrow. Raises Unavailable."""
        await self._store.write(lambda tx: opt_outs.put(tx, number, word))

    async def opt_in(self, number: str) -> None:
        """The person wrote 订阅 or START. Raises Unavailable."""
        await self._store.write(lambda tx: opt_outs.remove(tx, number))
