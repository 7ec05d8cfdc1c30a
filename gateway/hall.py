"""The hall (受理大厅): what the doors are given of this house."""

from __future__ import annotations

import ssl
from datetime import timedelta

from channels.door import Hall
from channels.fax import MAILBOX
from channels.faxbox import Faxbox
from channels.postbox import Postbox
from channels.provider import Account, NoProvider, Provider, Twilio
from channels.switchboard import Switchboard
from channels.telephone import Telephone
from channels.wechat_account import NoPlatform, OfficialAccount
from channels.wechat_platform import WechatPlatform
from config.fax import FaxData
from config.settings import Settings
from config.themes import Themes
from gateway.enquiries import CaseEnquiries
from gateway.hotline_bridge import HotlineBridge
from gateway.house import House
from gateway.limiter import Limiter
from gateway.metrics import Metrics
from gateway.notebook import StoredNotebook
from gateway.refusals import Refusals
from gateway.sites import Sites
from gateway.texting import HouseTexting
from normalizer.intake import IntakeDesk
from petition import clock


def hall_of(house: House, intake: IntakeDesk, metrics: Metrics, switchboard: Switchboard) -> Hall:
    """What the doors are given; ValueError when what a door is set to cannot be."""
    settings = house.settings
    return Hall(
        intake=intake,
        refuse=Refusals(intake, Limiter(60, 120), metrics),
        clock=clock.now,
        known_region=house.known_region,
        public_url=settings.public_url,
        max_body=int(settings.max_body),
        max_upload=int(settings.max_upload),
        spool=settings.data / "spool",
        enquiries=CaseEnquiries(house.store, Limiter(10, 10)),
        limit=Limiter(settings.rate_per_minute, settings.rate_per_minute).check,
        api_keys=frozenset(entry.key.get_secret_value() for entry in settings.api_keys),
        twilio_auth_token=settings.twilio_auth_token,
        postbox=postbox_of(settings, house.reference.themes),
        themes=house.reference.themes,
        switchboard=switchboard,
        bridge=HotlineBridge(house.store),
        notebook=StoredNotebook(house.store),
        texting=HouseTexting(house.store, ready=house.text.ready),
        faxbox=faxbox_of(settings, house.reference.fax),
        provider=provider_of(settings),
        telephone=telephone_of(settings, house.office_name),
        wechat=account_of(settings, house.office_name),
    )


def telephone_of(settings: Settings, office: str) -> Telephone:
    """What the voice door is set to."""
    return Telephone(
        office=office,
        notice=settings.notice_version,
        speech=settings.voice_speech,
        voice=settings.voice_name,
        language=settings.voice_language,
        speech_language=settings.voice_speech_language,
        seat_line=settings.seat_line,
        quiet=timedelta(seconds=settings.voice_quiet),
    )


def account_of(settings: Settings, office: str) -> OfficialAccount:
    """The official account; without AppID and AppSecret its interfaces are not called. office: its name."""
    secret = settings.wechat_app_secret.get_secret_value()
    sites = Sites(settings.data)
    may_call = bool(settings.wechat_app_id and secret)
    return OfficialAccount(
        token=settings.wechat_token,
        app_id=settings.wechat_app_id,
        aes_key=settings.wechat_aes_key,
        platform=WechatPlatform(settings.wechat_api_url, settings.wechat_app_id, secret) if may_call else NoPlatform(),
        office=office,
        place=lambda code: site.origin if (site := sites.find(code)) else "",
    )


def provider_of(settings: Settings) -> Provider:
    """The provider's interface; without account or token there is none."""
    if not settings.twilio_account_sid or not settings.twilio_auth_token.get_secret_value():
        return NoProvider()
    return Twilio(
        Account(
            sid=settings.twilio_account_sid,
            token=settings.twilio_auth_token,
            base=settings.twilio_api_url,
            sender=settings.twilio_from,
            media_hosts=frozenset(settings.twilio_media_hosts),
            numbers=frozenset(settings.twilio_numbers),
            max_file=int(settings.max_upload),
            spool=settings.data / "spool",
        )
    )


def _own(themes: Themes, settings: Settings) -> frozenset[str]:
    """Our addresses, by which a loop is known. Not those of a fax gateway, which may write in their name."""
    boxes = {**themes.mailboxes, **settings.mailboxes}
    own = {address for address, note in boxes.items() if note != MAILBOX}
    return frozenset((own | {settings.mail_from}) - {""})


def postbox_of(settings: Settings, themes: Themes) -> Postbox:
    """What the mail door is set to; ValueError when its certificate cannot be read."""
    # Without mailboxes of its own the office takes every address, those of its themes among them.
    mailboxes = {**themes.mailboxes, **settings.mailboxes} if settings.mailboxes else {}
    tls = None
    if settings.mail_certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            tls.load_cert_chain(settings.mail_certificate, settings.mail_key)
        except OSError as problem:
            words = f"GATEWAY_MAIL_CERTIFICATE: 无法读取证书 (cannot be read): {problem.strerror or problem}"
            raise ValueError(words) from None
    return Postbox(
        address=settings.smtp_address,
        mailboxes=mailboxes,
        limit=int(settings.mail_max),
        own=_own(themes, settings),
        trusted=frozenset(name.lower() for name in settings.mail_trusted),
        tls=tls,
        answers=bool(settings.mail_relay and settings.mail_sender),
    )


def faxbox_of(settings: Settings, data: FaxData) -> Faxbox:
    """What the fax door is set to; ValueError for an unknown rule of names."""
    return Faxbox(
        inbox=settings.fax_inbox or settings.data / "fax" / "inbox",
        watch=data.watch,
        names=data.chosen(settings.fax_names),
        mails=tuple(data.mails.values()),
    )
