"""邮件类别 What kind of mail it is: a person's, a bounce, an automatic answer, a list, our own coming back."""

from __future__ import annotations

import re
from enum import StrEnum

from channels.mail_parts import Headers, Node
from petition.arrival import MARKER

_DAEMON = re.compile(r"(?:mailer-daemon|mail-daemon|mdaemon)\Z", re.I)
_POSTMASTER = re.compile(r"post-?master\Z", re.I)
_BOUNCED = re.compile(r"退信|undeliver|delivery (?:status|failure|has failed)|failure notice|returned mail", re.I)
_AWAY = re.compile(
    r"自动(?:回复|答复|回覆)|自動(?:回覆|答覆)|out of (?:the )?office|auto(?:matic)?[ -]?(?:reply|response)", re.I
)
_AUTOREPLY = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply")
_LIST = ("List-Id", "List-Unsubscribe", "List-Post")
_RESULT = re.compile(r";\s*([a-z][a-z0-9-]{1,20})\s*(?:/\s*\d+\s*)?=\s*([a-z]{2,20})", re.I)
_RECEIVER = re.compile(r"[;\s]receiver\s*=\s*\"?([^\s;\"]+)", re.I)
_LONGEST = 10_000  # no true results header is longer


class MailKind(StrEnum):
    """How a mail is to be met: only an ORDINARY one is ever answered, every one is ledgered."""

    ORDINARY = "ordinary"
    BOUNCE = "bounce"
    AUTOMATIC = "automatic"
    LIST = "list"
    LOOP = "loop"


def kind_of(root: Node, sender: str, subject: str, own: frozenset[str] = frozenset()) -> MailKind:
    """The kind of the mail with this top node, believed sender, decoded subject, and our own addresses.

    A bounce first, because it carries Auto-Submitted too (RFC 3464, 3834 section 2). Our marker before Auto-Submitted,
    because our answers carry both. X-Auto-Response-Suppress alone means nothing: Outlook sets it on people's mails.
    """
    headers = root.headers
    if _is_bounce(root, sender, subject):
        return MailKind.BOUNCE
    if MARKER in headers or (sender and sender.lower() in own):
        return MailKind.LOOP
    if _is_automatic(root, subject):
        return MailKind.AUTOMATIC
    if any(name in headers for name in _LIST) or _word(headers, "Precedence") == "list":
        return MailKind.LIST
    return MailKind.ORDINARY


def authentication_of(headers: Headers, trusted: frozenset[str]) -> tuple[str, ...]:
    """The results of the host we trust, as "spf=pass": nobody else's, since a sender can write such headers himself.

    RFC 8601 section 5: only the topmost Authentication-Results of a trusted authserv-id counts. Received-SPF (RFC 7208
    section 9.1) names its host as receiver=; it adds spf if the first says nothing about it.
    """
    hosts = {host.lower() for host in trusted}
    found: list[str] = []
    for value in headers.all("Authentication-Results"):
        plain = _without_comments(value)
        host = plain.partition(";")[0].split()
        if host and host[0].lower() in hosts:
            found = [f"{method}={result}".lower() for method, result in _RESULT.findall(plain)]
            break
    for value in headers.all("Received-SPF"):
        receiver = _RECEIVER.search(value[:_LONGEST])
        if receiver and receiver[1].lower() in hosts:
            result = re.match(r"\s*([a-z]+)", value, re.I)
            if result and not any(word.startswith("spf=") for word in found):
                found.append(f"spf={result[1].lower()}")
            break
    return tuple(dict.fromkeys(found))


def _is_bounce(root: Node, sender: str, subject: str) -> bool:
    headers = root.headers
    if root.media_type == "multipart/report" and root.parameter("report-type").lower() == "delivery-status":
        return True
    if "X-Failed-Recipients" in headers:
        return True
    name = sender.partition("@")[0]
    if _DAEMON.match(name):
        return True
    signs = (_null_path(headers), _automatic_word(headers), _BOUNCED.search(subject) is not None)
    return _POSTMASTER.match(name) is not None and any(signs)


def _is_automatic(root: Node, subject: str) -> bool:
    headers = root.headers
    if root.media_type == "multipart/report":  # read receipts (RFC 8098) and abuse reports
        return True
    if _automatic_word(headers) or _null_path(headers):
        return True
    if any(headers.first(name).strip().lower() not in ("", "no", "false") for name in _AUTOREPLY):
        return True
    precedence = _word(headers, "Precedence")
    listed = any(name in headers for name in _LIST)
    if precedence == "auto_reply" or (precedence in ("bulk", "junk") and not listed):
        return True
    # A person may write "自动回复" into a subject; a machine also sets one of these.
    return _AWAY.search(subject) is not None and ("X-Auto-Response-Suppress" in headers or precedence != "")


def _automatic_word(headers: Headers) -> bool:
    """RFC 3834 section 5: anything but "no", parameters and comments aside."""
    return any(_first_word(value) not in ("", "no") for value in headers.all("Auto-Submitted"))


def _null_path(headers: Headers) -> bool:
    return any(value.strip() == "<>" for value in headers.all("Return-Path"))


def _word(headers: Headers, name: str) -> str:
    return _first_word(headers.first(name)).replace("-", "_")


def _first_word(value: str) -> str:
    words = _without_comments(value).partition(";")[0].split()
    return words[0].lower() if words else ""


def _without_comments(value: str) -> str:
    value = value[:_LONGEST]
    for _ in range(5):  # comments may hold comments
        value, found = re.subn(r"\([^()]*\)", " ", value)
        if not found:
            break
    return value
