"""The journeys (送件): how each sample reaches the house over the protocol of its channel, and reaches it only once."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx

from channels.wechat import PATH as WECHAT
from gateway.demo.browser import Browser, Page, Stuck
from gateway.demo.doors import ORDERS, TEXTS, Filed, Place, file_by_email, file_by_hotline, file_by_visit, listens
from gateway.demo.papers import MEDIA_TYPES, paper
from gateway.demo.samples import Sample, SamplePerson
from gateway.demo.telephone import file_by_telephone
from gateway.demo.texts import file_by_sms
from gateway.demo.wechat import file_by_wechat, has_token
from petition.attachment import AttachmentRole
from petition.identity import check_resident_id
from petition.people import IdType

API = "/api/v1/petitions"
CALLS = "/webhooks/twilio/voice"
_PAGES_MOST = 60  # a petition has eleven pages; more means the form leads in a circle
_TRIES = 6
_RECEIPT = re.compile(r"信访编号\W+(?P<case_no>[0-9A-Z-]+).*?查询码\W+(?P<code>[0-9A-Z-]{12,14})", re.S)


@dataclass(frozen=True, slots=True)
class Arrived:
    """Where the case stands once it has left the house. unit: its name; sealed: the law keeps it from the page."""

    status_words: str
    unit: str
    words: str


def file_by_web(place: Place, sample: Sample) -> Filed:
    """Through the pages of the web form, one by one, as a phone without JavaScript would."""
    with Browser(place.url) as browser:
        page = browser.open("/file", **({"via": sample.via} if sample.via else {}))
        page = browser.submit(page.form("/file"))
        last, done = page, 0
        while page.path != "/file/receipt":
            last, page, before = page, fill(browser, page, sample), page.path
            done += 1
            if page.problems or done > _PAGES_MOST:
                raise Stuck(f"{before}: {';'.join(page.problems) or '走不到回执'}")
        first = receipt(browser)
        # The second click on the same button: the same receipt, no second case.
        browser.submit(last.form())
        return Filed(first[0], first[1], receipt(browser)[0])


def file_by_rest(place: Place, sample: Sample) -> Filed:
    """As an app does: one multipart request with the files, and the same once more as if the answer had been lost."""
    people = [_person(one) for one in sample.people]
    petition = {
        "form": sample.form.value,
        "sub_source": "演示",
        "petitioners": people,
        "headcount": sample.headcount,
        "title": sample.title,
        "content": sample.content,
        "requests": list(sample.requests),
        "purpose": sample.purpose.value,
        "problem_region": sample.region,
        "occur_place": sample.occur_place,
        "occur_time": "-".join(sample.occur_time),
        "is_public": sample.is_public,
        "privacy_notice_version": "demo",
    }
    files: list[Any] = [("petition", (None, json.dumps(petition, ensure_ascii=False), "application/json"))]
    files += [("attachments", (one.name, paper(one, sample.title), MEDIA_TYPES[one.kind])) for one in sample.files]
    headers = {"Idempotency-Key": f"demo-{secrets.token_hex(12)}"}
    with _client(place.url) as client:
        told = [_sent(lambda: client.post(API, files=files, headers=headers)) for _ in range(2)]
    return Filed(told[0]["case_no"], told[0]["query_code"], told[1]["case_no"])


# What a channel is by its name in GATEWAY_CHANNELS; a sample whose channel is not here cannot be sent yet.
JOURNEYS: Mapping[str, Callable[[Place, Sample], Filed]] = MappingProxyType(
    {
        "web": file_by_web,
        "rest": file_by_rest,
        "hotline": file_by_hotline,
        "sms": file_by_sms,
        "email": file_by_email,
        "voice": file_by_telephone,
        "wechat": file_by_wechat,
        "visit": file_by_visit,
    }
)


def follow(place: Place, filed: Filed, seconds: float, wait: Callable[[float], None] = time.sleep) -> Arrived | None:
    """Ask the API, as the petitioner may, until the case has left for a unit; None when it has not in time.

    Without a query code the partner's key is used, which not everybody has: then it counts as arrived when it is in.
    """
    if not filed.query_code and not place.key:
        return Arrived("已登记", "", "查询码由回执邮件告知")
    if filed.waits:
        return Arrived(f"已登记，{filed.waits}", "", filed.waits)
    asked = {"X-Query-Code": filed.query_code} if filed.query_code else {"X-API-Key": place.key}
    end = time.monotonic() + seconds
    pause = 0.25
    with _client(place.url) as client:
        while True:
            answer = client.get(f"{API}/{filed.case_no}", headers=asked)
            if answer.status_code == 200 and (found := _arrived(answer.json())) is not None:
                return found
            if answer.status_code == 429:
                pause = float(answer.headers.get("Retry-After", "5"))
            elif answer.status_code not in (200, 503):
                raise Stuck(f"查询 {filed.case_no}: 应答 {answer.status_code}")
            if time.monotonic() + pause > end:
                return None
            wait(pause)
            pause = min(pause * 2, 4.0)  # ten questions a minute are allowed


def open_channels(place: Place, wanted: tuple[str, ...]) -> frozenset[str]:
    """Those of the wanted channels whose door really answers; raises httpx.HTTPError when nobody is there.

    A partner's door counts as open to us only if we hold its key, the counter only if we know a clerk.
    """
    with _client(place.url) as client:
        client.get("/healthz").raise_for_status()
        paths = client.get("/api/v1/openapi.json").raise_for_status().json()["paths"]
        doors = {
            "web": client.get("/file").status_code == 200,
            "rest": API in paths,
            "hotline": ORDERS in paths and bool(place.key),
            "sms": client.get(TEXTS).status_code == 405 and bool(place.token),
            "email": "email" in wanted and listens(place.smtp),
            "voice": client.get(CALLS).status_code == 405 and bool(place.token),
            "visit": place.clerk is not None and client.get("/desk/window").status_code in (200, 303),
            "wechat": client.get(WECHAT).status_code == 403 and has_token(place),
        }
    return frozenset(name for name in wanted if doors.get(name, False))


def _arrived(told: dict[str, Any]) -> Arrived | None:
    unit = told["unit"]["name"] if told["unit"] else ""
    sealed = not told["status"] and told["status_words"] == "已转有权机关"
    if not unit and not sealed:
        return None
    words = [step["words"] for step in told["timeline"] if step["words"]]
    return Arrived(told["status_words"], unit or "有权机关", words[-1] if words else "")


def fill(browser: Browser, page: Page, sample: Sample) -> Page:
    """Fill in the page as the sample says and go on; raises Stuck."""
    step = page.path.removeprefix("/file/")
    if step.startswith("person/"):
        person = sample.people[int(step.removeprefix("person/")) - 1]
        return browser.submit(page.form(), _typed(person))
    if step == "people":
        return browser.submit(page.form(), button=("do", "next"))
    if step == "region":
        found = browser.open(page.path, q=sample.region_name)
        return browser.submit(found.form(), button=("region", sample.region))
    if step == "evidence":
        return _evidence(browser, page, sample)
    return browser.submit(page.form(), _answers(step, sample))


def _answers(step: str, sample: Sample) -> dict[str, str]:
    match step:
        case "who":
            return {"manner": sample.manner}
        case "scene":
            when = dict(zip(("year", "month", "day"), sample.occur_time, strict=False))
            return {"occur_place": sample.occur_place, **when}
        case "purpose":
            return {"purpose": sample.purpose.value}
        case "story":
            return {"title": sample.title, "content": sample.content}
        case "requests":
            return {"requests": "\r\n".join(sample.requests)}
        case "wishes":
            return {"is_public": "yes" if sample.is_public else "no", "confidential": "no"}
        case "accused" | "check":
            return {}
    raise Stuck(f"/file/{step}: 没有料到的页面")


def _evidence(browser: Browser, page: Page, sample: Sample) -> Page:
    for file in sample.files:
        role = {"role": file.role.value} if file.role is not AttachmentRole.EVIDENCE else {}
        chosen = {"files": [(file.name, paper(file, sample.title), MEDIA_TYPES[file.kind])]}
        page = browser.submit(page.form(), role, button=("do", "add"), files=chosen)
        if page.problems:
            return page
    return browser.submit(page.form(), button=("do", "next"))


def receipt(browser: Browser) -> tuple[str, str]:
    """(case number, query code) of the receipt this visit ended in; raises Stuck."""
    found = _RECEIPT.search(browser.save("/file/receipt.txt"))
    if found is None:
        raise Stuck("/file/receipt.txt: 回执上没有编号和查询码")
    return found["case_no"].replace("-", ""), found["code"]


def _typed(person: SamplePerson) -> dict[str, str]:
    return {
        "name": person.name,
        "id_type": IdType.RESIDENT_ID.value,
        "id_no": person.id_no,
        "phone": person.mobile,
        "address": person.address,
    }


def _person(person: SamplePerson) -> dict[str, str]:
    gender = person.gender or check_resident_id(person.id_no).gender
    return {
        "role": person.role.value,
        "name": person.name,
        **({"gender": gender.value} if gender else {}),
        "id_type": IdType.RESIDENT_ID.value,
        "id_no": person.id_no,
        "mobile": person.mobile,
        "address": person.address,
    }


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=30, trust_env=False)


def _sent(ask: Callable[[], httpx.Response]) -> dict[str, str]:
    for _ in range(_TRIES):
        answer = ask()
        if answer.status_code == 201:
            return dict(answer.json())
        if answer.status_code not in (429, 503):
            break
        time.sleep(min(float(answer.headers.get("Retry-After", "5")), 30.0))
    raise Stuck(f"{API}: 应答 {answer.status_code} {answer.text[:300]}")
