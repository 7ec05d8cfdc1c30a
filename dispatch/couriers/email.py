"""The e-mail courier (邮件信使): hands one message to our own relay; the relay brings it to the person (RFC 5321)."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from config.address import Address
from dispatch.courier import Again, Delivered, Held, Outcome

TIMEOUT = 10.0  # seconds for each step of the talk with the relay


class MailCourier:
    """May be called from several threads at once: each message has a connection of its own."""

    def __init__(self, relay: Address) -> None:
        self._relay = relay

    def send(self, message: EmailMessage, to: str) -> Outcome:
        """Hand the message over with an empty return path, so that no machine answers it (RFC 3834, 3.3)."""
        try:
            with smtplib.SMTP(self._relay.host, self._relay.port, timeout=TIMEOUT) as talk:
                talk.ehlo_or_helo_if_needed()
                if talk.has_extn("starttls"):
                    talk.starttls(context=_opportunistic())
                talk.send_message(message, from_addr="", to_addrs=[to])
        except smtplib.SMTPRecipientsRefused as problem:
            code = next(iter(problem.recipients.values()), (550, b""))[0]
            return _outcome(code)
        except smtplib.SMTPResponseException as problem:
            return _outcome(problem.smtp_code)
        except smtplib.SMTPNotSupportedError:
            return Held(reason="邮件服务器不支持这个地址")
        except (OSError, smtplib.SMTPException) as problem:
            return Again(problem=type(problem).__name__)
        return Delivered()


def _outcome(code: int) -> Outcome:
    if 500 <= code < 600:
        return Held(reason=f"邮件服务器拒收（{code}）")
    return Again(problem=f"smtp {code}")


def _opportunistic() -> ssl.SSLContext:
    """Encrypted when the relay can, whoever signed its certificate: else the text goes in clear (RFC 7435)."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
