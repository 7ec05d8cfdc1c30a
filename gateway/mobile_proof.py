"""Mobile proof (手机验证): a code sent to a mobile shows that its holder is typing; nothing of it is stored."""

from __future__ import annotations

from typing import Protocol

from gateway.limiter import Limiter
from petition.clock import Clock
from petition.identity import tidy
from store.vault import Vault

_DIGITS = 6


class Sender(Protocol):
    """Text messages with codes; the house sends them by whatever way it has."""

    @property
    def ready(self) -> bool:
        """Whether a way is set up."""
        ...

    async def send_code(self, mobile: str, code: str, minutes: int) -> None:
        """Send it now; Unavailable when it could not be handed over."""
        ...


class NoSender:
    """The null twin: a house that sends no text messages."""

    @property
    def ready(self) -> bool:
        """Nothing leaves."""
        return False

    async def send_code(self, mobile: str, code: str, minutes: int) -> None:
        """Nothing leaves."""


class MobileProof:
    """Codes are worked out from the key, the purpose, the mobile and the time: they hold `minutes` to twice that."""

    def __init__(self, sender: Sender, vault: Vault, clock: Clock, minutes: int) -> None:
        self._sender = sender
        self._vault = vault
        self._clock = clock
        self._minutes = minutes
        self._sends = Limiter(1, 3)
        self._tries = Limiter(1, 5)

    @property
    def ready(self) -> bool:
        """Whether codes can be sent at all."""
        return self._sender.ready

    async def send(self, purpose: str, mobile: str) -> None:
        """Send a code; TooMany when this mobile got several just now."""
        self._sends.check(mobile)
        await self._sender.send_code(mobile, self._code(purpose, mobile, 0), self._minutes)

    def check(self, purpose: str, mobile: str, given: str) -> bool:
        """Whether it is the code that was sent; TooMany after five tries."""
        self._tries.check(f"{purpose}\x1f{mobile}")
        typed = tidy(given).replace(" ", "")
        return any(self._code(purpose, mobile, back) == typed for back in (0, 1))

    def _code(self, purpose: str, mobile: str, back: int) -> str:
        window = int(self._clock().timestamp()) // (60 * self._minutes) - back
        secret = self._vault.mac("mobile-code", f"{purpose}\x1f{mobile}\x1f{window}".encode())
        return f"{int.from_bytes(secret[:8], 'big') % 10**_DIGITS:0{_DIGITS}d}"
