"""The SMTP listener (邮件接收端): sessions, limits and replies; what a mail says is for the door to read."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.postbox import Postbox
from petition.errors import LowDisk, PetitionError, TooMany

SESSIONS = 200  # at once
SESSIONS_OF_ONE = 20  # at once from one address
RECIPIENTS = 100  # RFC 5321, 4.5.3.1.8: at least so many
LINE = 1 << 18  # octets; the 1000 of RFC 5321 would send citizens' mails back
IDLE = 300.0  # seconds; RFC 5321, 4.5.3.2.7
_DRAIN = 3.0  # seconds a mail that is being entered is waited for

Take = Callable[[bytes, str, list[str]], Awaitable[str]]

log = structlog.get_logger(__name__)


class _Session(SMTP):
    """One connection. It is counted while it is open, and refused with 421 when there are too many."""

    line_length_limit = LINE

    def __init__(self, listener: SmtpListener, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._listener = listener
        self._counted = ""
        self._turned_away = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._counted:  # after STARTTLS it is made a second time
            peer = str((transport.get_extra_info("peername") or ("",))[0])
            if not self._listener.admit(self, peer):
                assert isinstance(transport, asyncio.Transport)
                transport.write(b"421 4.7.0 too many sessions, come again later\r\n")
                transport.close()
                self._turned_away = True
                return
            self._counted = peer or "?"
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._turned_away:
            return
        self._listener.leave(self, self._counted)
        super().connection_lost(error)


class SmtpListener:
    """The listener of the mail door. take: enters one mail and gives what is said after 250; limit: raises TooMany."""

    def __init__(self, postbox: Postbox, take: Take, limit: Callable[[str], None]) -> None:
        self._postbox = postbox
        self._take = take
        self._limit = limit
        self._server: asyncio.Server | None = None
        self.port = 0  # where it listens, once it does
        self._open: dict[_Session, str] = {}
        self._from: Counter[str] = Counter()
        self._entering: set[asyncio.Task[str]] = set()
        self._stopping = False

    async def start(self) -> None:
        """Listen; OSError when the address is taken."""
        # The library writes every envelope into its log, and addresses are people's.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        loop = asyncio.get_running_loop()
        address = self._postbox.address
        self._server = await loop.create_server(self._session, address.host, address.port, backlog=256)
        self.port = int(self._server.sockets[0].getsockname()[1])
        log.info("the mail door is open", port=self.port, starttls=self._postbox.tls is not None)

    async def stop(self) -> None:
        """No new sessions; what is being entered is finished, then everybody is told to come again."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        if self._entering:
            await asyncio.wait(self._entering, timeout=_DRAIN)
        await asyncio.sleep(0)  # the replies to what was entered go out first
        for session in list(self._open):
            transport = session.transport
            if isinstance(transport, asyncio.Transport) and not transport.is_closing():
                transport.write(b"421 4.3.2 closing, come again later\r\n")
                transport.close()

    def admit(self, session: _Session, peer: str) -> bool:
        """Whether one more session of this address may begin."""
        if self._stopping or len(self._open) >= SESSIONS or self._from[peer] >= SESSIONS_OF_ONE:
            return False
        self._open[session] = peer
        self._from[peer] += 1
        return True

    def leave(self, session: _Session, peer: str) -> None:
        """A session ended."""
        if self._open.pop(session, None) is not None:
            self._from[peer] -= 1
            if self._from[peer] <= 0:
                del self._from[peer]

    def _session(self) -> _Session:
        return _Session(
            self,
            self,
            data_size_limit=self._postbox.limit,
            enable_SMTPUTF8=True,
            hostname="gateway",
            ident="ESMTP",  # no names or versions for strangers
            tls_context=self._postbox.tls,
            timeout=IDLE,
        )

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient if it is ours."""
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return "452 4.5.3 too many recipients"
        if not self._postbox.takes(address):
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Enter the mail; 250 is said after COMMIT and never before."""
        peer = str(session.peer[0]) if isinstance(session.peer, tuple) else ""
        try:
            self._limit(f"mail:{peer}")
        except TooMany:
            return "451 4.7.1 too many mails a minute, come again later"
        raw = envelope.original_content or b""
        sender = (envelope.mail_from or "").strip("<>")  # the library writes the null path as it came
        # A task of its own: the sender who drops the line now must not stop what is being committed.
        task = asyncio.ensure_future(self._take(raw, sender, list(envelope.rcpt_tos)))
        self._entering.add(task)
        task.add_done_callback(self._entered)
        try:
            return f"250 {await asyncio.shield(task)}"
        except LowDisk:
            return "452 4.3.1 no room, come again later"
        except PetitionError as problem:
            return "451 4.3.0 come again later" if problem.retryable else f"550 5.6.0 {problem.code}"

    async def handle_exception(self, error: Exception) -> str:
        """There may be a bug in us; nobody's mail is sent back for that."""
        log.error("a mail session stumbled", problem=type(error).__name__)
        return "451 4.3.0 come again later"

    def _entered(self, task: asyncio.Task[str]) -> None:
        self._entering.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            name = problem.code if isinstance(problem, PetitionError) else type(problem).__name__
            log.warning("a mail was not entered", problem=name)
