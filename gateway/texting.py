"""Texting (短信外发): builds the way for text messages, and tells the doors of it (`channels.texting.Texting`)."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from channels.texting import TextStatus
from config.messenger import load_messenger
from config.notices import MOST, Notices, segments
from config.reference import Reference
from config.settings import Settings
from dispatch import receipts
from dispatch.codes import SendCode
from dispatch.couriers.described import DescribedTexts
from dispatch.couriers.sms import Texter
from dispatch.couriers.twilio import TwilioTexts
from dispatch.receipts import TextReceipt
from dispatch.texts import SendText, TextHead
from petition.status import Status
from store import opt_outs
from store.database import Store


def texter_of(settings: Settings, reference: Reference) -> Texter | None:
    """The way for text messages, None when none is set; ValueError says what is wrong with what is set."""
    twilio = bool(settings.twilio_from)
    if settings.sms_provider is not None and twilio:
        raise ValueError("GATEWAY_SMS_PROVIDER 和 GATEWAY_TWILIO_FROM 二者取一 (set one of them)")
    if settings.sms_provider is None and not twilio:
        return None
    check_texts(reference.notices, sign_of(settings, reference), settings.public_url)
    if settings.sms_provider is not None:
        provider = load_messenger(settings.sms_provider)
        return DescribedTexts(provider, settings.sms_secret.get_secret_value(), sign_of(settings, reference))
    token = settings.twilio_auth_token.get_secret_value()
    if not settings.twilio_account_sid or not token:
        needed = "GATEWAY_TWILIO_ACCOUNT_SID、GATEWAY_TWILIO_AUTH_TOKEN"
        raise ValueError(f"GATEWAY_TWILIO_FROM: 还须设置 {needed} (must be set too)")
    return TwilioTexts(settings.twilio_api_url, settings.twilio_account_sid, token, settings.twilio_from)


def text_of(settings: Settings, reference: Reference, store: Store, texter: Texter | None) -> SendText:
    """Who writes and sends text messages."""
    return SendText(store, texter, reference.notices, head_of(settings, reference, texter))


def head_of(settings: Settings, reference: Reference, texter: Texter | None) -> TextHead:
    """The signature and the address that stand in text messages."""
    sign = "" if isinstance(texter, DescribedTexts) and not texter.signs else sign_of(settings, reference)
    # Twilio cannot call back an address of this machine, and refuses a message that names one.
    host = urlsplit(settings.public_url).hostname or ""
    reachable = host not in ("localhost", "127.0.0.1", "::1") or urlsplit(settings.twilio_api_url).hostname == host
    return TextHead(sign=sign, public_url=settings.public_url, receipts=reachable)


def sign_of(settings: Settings, reference: Reference) -> str:
    """What stands between 【】."""
    return settings.sms_sign or settings.office_name or reference.office.name


def check_texts(notices: Notices, sign: str, public_url: str) -> str:
    """The longest text that can leave; ValueError when it takes too many messages or a status is unknown."""
    if unknown := sorted(set(notices.status) - set(Status)):
        raise ValueError(f"notices.toml: notice.status 里没有 {unknown[0]} 这个状态 (no such status)")
    longest = notices.longest(sign, f"{public_url}/track")
    if segments(longest) > MOST:
        raise ValueError(
            f"最长的短信有 {len(longest)} 个字,超过 {MOST} 条;请设置较短的 GATEWAY_SMS_SIGN 或 GATEWAY_PUBLIC_URL "
            f"(the longest text takes more than {MOST} messages): {longest}"
        )
    return longest


class HouseCodes:
    """Codes of this house by text message (`gateway.mobile_proof.Sender`)."""

    def __init__(self, text: SendText) -> None:
        self._send = SendCode(store=text.store, texter=text.texter, notices=text.notices, sign=text.head.sign)
        self._ready = text.ready

    @property
    def ready(self) -> bool:
        """Whether text messages leave this house."""
        return self._ready

    async def send_code(self, mobile: str, code: str, minutes: int) -> None:
        """Send it now; Unavailable when it could not be handed over."""
        await asyncio.to_thread(self._send, mobile, code, minutes)


class HouseTexting:
    """Opt-outs and receipts of this house. ready: whether a way for text messages is set up."""

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

    async def told(self, status: TextStatus) -> None:
        """Note a receipt of the provider. Raises Unavailable."""
        receipt = TextReceipt(
            order=status.order, message_id=status.message_id, status=status.status, error=status.error
        )
        await self._store.write(lambda tx: receipts.apply(tx, receipt))
