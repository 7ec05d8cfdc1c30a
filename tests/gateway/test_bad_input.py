"""Bad input to a whole house, byte by byte where no client library would send it: never a 500, nothing lost, no gap."""

from __future__ import annotations

import gzip
import io
import json
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from petition.arrival import Outcome
from store.tables import ledger
from tests.houses import Rig, running_house, until
from tests.multipart import multipart

PATH = "/api/v1/petitions"
GOOD = json.dumps({"content": "样例小学门口是丁字路口,建议增设信号灯。", "problem_region": "620105"}).encode()
MAX_BODY, MAX_UPLOAD = 200_000, 4_000_000


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    data = tmp_path_factory.mktemp("bad")
    with running_house(data, max_body=MAX_BODY, max_upload=MAX_UPLOAD) as running:
        yield running


@pytest.fixture(autouse=True)
def _books_balance(rig: Rig) -> Iterator[None]:
    """After every one of these the house still works, was not surprised, and its books balance."""
    yield
    assert rig.stumbles() == []
    assert rig.client.post(PATH, content=GOOD, headers={"Content-Type": "application/json"}).status_code == 201
    assert rig.gap() == 0


def request(*lines: bytes, body: bytes = b"", target: bytes = PATH.encode(), method: bytes = b"POST") -> bytes:
    """One HTTP/1.1 request as bytes."""
    head = (method + b" " + target + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", *lines)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def json_request(body: bytes, *lines: bytes) -> bytes:
    return request(b"Content-Type: application/json", b"Content-Length: %d" % len(body), *lines, body=body)


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0


def megabytes() -> float:
    """The most memory this process has had since the last call; Linux forgets the peak on request."""
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5")
    return peak


def newest(rig: Rig) -> tuple[str, str]:
    """(outcome, reason) of the newest ledger entry."""
    row = select(ledger.c.outcome, ledger.c.reason).order_by(ledger.c.id.desc()).limit(1)
    return tuple(rig.house.store.read_now(lambda tx: tx.connection.execute(row).one()))


# label, the bytes, statuses that are right; 0 is a closed connection without a word
WIRE: list[tuple[str, bytes, set[int]]] = [
    ("as it should be", json_request(GOOD), {201}),
    ("no type", request(b"Content-Length: %d" % len(GOOD), body=GOOD), {415}),
    ("an odd type", request(b"Content-Type: ///;;=", b"Content-Length: 2", body=b"{}"), {415}),
    ("two types", json_request(GOOD, b"Content-Type: text/plain"), {201, 400, 415}),
    ("a type not ASCII", request("Content-Type: 文本".encode(), b"Content-Length: 2", body=b"{}"), {400, 415}),
    ("length is no number", request(b"Content-Type: application/json", b"Content-Length: many", body=GOOD), {400}),
    ("negative length", request(b"Content-Type: application/json", b"Content-Length: -5", body=GOOD), {400}),
    ("two lengths", json_request(GOOD, b"Content-Length: 3"), {400}),
    ("length and chunks", json_request(GOOD, b"Transfer-Encoding: chunked"), {400}),
    (
        "unknown transfer coding",
        request(b"Content-Type: application/json", b"Transfer-Encoding: cough", body=GOOD),
        {400, 422, 501},
    ),
    (
        "a bad chunk",
        request(b"Content-Type: application/json", b"Transfer-Encoding: chunked", body=b"zz\r\nabc\r\n0\r\n\r\n"),
        {400},
    ),
    (
        "a chunk too short",
        request(b"Content-Type: application/json", b"Transfer-Encoding: chunked", body=b"2\r\nabcd\r\n0\r\n\r\n"),
        {400},
    ),
    ("says gzip and is not", json_request(GOOD, b"Content-Encoding: gzip"), {400}),
    ("says deflate and is not", json_request(GOOD, b"Content-Encoding: deflate"), {400}),
    ("says br and is not", json_request(GOOD, b"Content-Encoding: br"), {400, 201}),
    ("says zstd and is not", json_request(GOOD, b"Content-Encoding: zstd"), {400, 201}),
    ("unknown coding", json_request(GOOD, b"Content-Encoding: rot13"), {201, 400, 415}),
    ("really gzip", json_request(gzip.compress(GOOD), b"Content-Encoding: gzip"), {201}),
    ("cut off inside gzip", json_request(gzip.compress(GOOD)[:-12], b"Content-Encoding: gzip"), {400}),
    ("NUL in a header", json_request(GOOD, b"X-Sample: a\x00b"), {400}),
    ("a header without end", json_request(GOOD, b"X-Sample: " + b"a" * 20_000), {400}),
    ("two hundred headers", json_request(GOOD, *[b"X-Sample-%d: a" % n for n in range(200)]), {201, 400}),
    ("a folded header", json_request(GOOD, b"X-Sample: a\r\n b"), {201, 400}),
    ("bare line feed", json_request(GOOD, b"X-Sample: a\nX-Other: b"), {400}),
    ("expects the unknown", json_request(GOOD, b"Expect: coffee"), {417, 201}),
    ("expects 100", json_request(GOOD, b"Expect: 100-continue"), {100}),
    ("a cookie of rubbish", json_request(GOOD, b"Cookie: " + bytes(range(0x80, 0xFF))), {201}),
    ("keys of control signs", json_request(GOOD, b"Idempotency-Key: \x01\x02\x03\x04\x05\x06\x07\x08"), {400, 422}),
    ("a proxy that lies", json_request(GOOD, b"X-Forwarded-For: <script>, 1.2.3.4, ::::"), {201}),
    ("another host", request(b"Host: example.com", target=b"/", method=b"GET"), {200, 400}),
    ("no such version", b"GET / HTTP/9.9\r\n\r\n", {0, 400, 505}),
    ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n", {0, 400}),
    ("the absolute form", request(target=b"http://example.com/healthz", method=b"GET"), {200, 400, 404}),
    ("path of 9000 signs", request(target=b"/" + b"a" * 9000, method=b"GET"), {400, 404, 414}),
    ("path with half a character", request(target=b"/file/%ed%a0%80", method=b"GET"), {404}),
    ("a query of rubbish", request(target=b"/track?no=%ff%00%ed%a0%80&over=%", method=b"GET"), {200}),
    ("a search of rubbish", request(target=b"/regions.json?q=%00%ff%ed%a0%80", method=b"GET"), {200}),
    ("folders up", request(target=b"/static/../../etc/passwd", method=b"GET"), {403, 404}),
    ("folders up, hidden", request(target=b"/static/%2e%2e/%2e%2e/etc/passwd", method=b"GET"), {403, 404}),
    ("NUL in a file name", request(target=b"/static/a%00b", method=b"GET"), {404}),
]


@pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
@pytest.mark.parametrize(("sent", "right"), [case[1:] for case in WIRE], ids=[case[0] for case in WIRE])
def test_bytes_on_the_wire(rig: Rig, sent: bytes, right: set[int]) -> None:
    answer = rig.raw(sent)
    assert status_of(answer) in right, answer[:600]


FORM = "multipart/form-data; boundary=a"


def part(body: bytes, name: bytes = b"petition", *headers: bytes) -> bytes:
    """One whole multipart body of one part with boundary `a`."""
    head = b'Content-Disposition: form-data; name="' + name + b'"'
    return b"--a\r\n" + b"\r\n".join((*headers, head)) + b"\r\n\r\n" + body + b"\r\n--a--\r\n"


NESTED = b"--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--a--\r\n"

# label, content type, body, status, code
PARTS: list[tuple[str, str, bytes, int, str]] = [
    ("as it should be", FORM, part(GOOD), 201, ""),
    ("no boundary", "multipart/form-data", b"", 400, "unreadable"),
    ("empty boundary", 'multipart/form-data; boundary=""', b"----\r\n", 422, "invalid"),
    ("boundary of 80", "multipart/form-data; boundary=" + "b" * 80, b"", 400, "unreadable"),
    ("another boundary", FORM, b"--b\r\n\r\n--b--\r\n", 400, "unreadable"),
    ("no body", FORM, b"", 400, "unreadable"),
    ("no end", FORM, part(GOOD)[:-8], 400, "unreadable"),
    ("headers without end", FORM, b"--a\r\n" + b"X: y\r\n" * 5000, 400, "unreadable"),
    ("one endless header", FORM, part(GOOD, b"petition", b"X: " + b"y" * 100_000), 400, "unreadable"),
    ("a header without colon", FORM, part(GOOD, b"petition", b"nothing"), 400, "unreadable"),
    ("no disposition", FORM, b"--a\r\n\r\nx\r\n--a--\r\n", 422, "invalid"),
    ("a bad length of a part", FORM, part(GOOD, b"petition", b"Content-Length: many"), 201, ""),
    ("nested", FORM, NESTED, 400, "unreadable"),
    ("the charset trick", FORM, part(b"x" * 60, b"_charset_"), 400, "unreadable"),
    ("mixed is as good", "multipart/mixed; boundary=a", part(GOOD), 201, ""),
    ("a field of half characters", FORM, part(b"x", b"\xed\xa0\x80\xff"), 422, "invalid"),
    ("an unknown transfer coding", FORM, part(GOOD, b"petition", b"Content-Transfer-Encoding: rot13"), 201, ""),
]


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"), [case[1:] for case in PARTS], ids=[case[0] for case in PARTS]
)
def test_broken_parts(rig: Rig, kind: str, body: bytes, status: int, code: str) -> None:
    before = rig.balance()
    answer = rig.client.post(PATH, content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert answer.json().get("code", "") == code
    after = rig.balance()
    assert after.received - before.received == 1, "every inbound event has its entry"
    if code:
        assert newest(rig) == (Outcome.REFUSED.value, code)


@pytest.mark.parametrize(
    "name",
    ["\u202egnp.exe", "a" * 5000 + ".png", "../../../etc/passwd", "照片😀.png", "&#0;<script>.png", ""],
)
def test_odd_file_names_are_kept_harmless(rig: Rig, name: str) -> None:
    body, kind = multipart(("petition", GOOD, None), ("attachments", b"\x89PNG\r\n\x1a\n", name))
    answer = rig.client.post(PATH, content=body, headers={"Content-Type": kind})
    assert answer.status_code == 201, answer.text


def test_a_file_name_that_is_no_utf8(rig: Rig) -> None:
    body, kind = multipart(("petition", GOOD, None), ("attachments", b"anything", "NAME"))
    answer = rig.client.post(
        PATH, content=body.replace(b"NAME", b"\xc4\xfa\xba\xc3\xed\xa0\x80"), headers={"Content-Type": kind}
    )
    assert answer.status_code == 201, answer.text


class TestTooMuch:
    def test_fifty_megabytes_of_json_are_refused_without_reading_them(self, rig: Rig) -> None:
        size = 50 << 20
        started = time.monotonic()
        head = request(b"Content-Type: application/json", b"Content-Length: %d" % size, body=b'{"content":"')
        answer = rig.raw(head)
        assert status_of(answer) == 413
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_large"
        assert time.monotonic() - started < 2
        assert newest(rig) == (Outcome.REFUSED.value, "too_large")

    def test_fifty_megabytes_really_sent(self, rig: Rig) -> None:
        megabytes()
        before = megabytes()
        pieces = (b" " * 65536 for _ in range(800))
        answer = rig.client.post(PATH, content=pieces, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert megabytes() - before < 30

    @pytest.mark.parametrize("coding", ["gzip", "deflate"])
    def test_a_body_that_unpacks_to_a_gigabyte(self, rig: Rig, coding: str) -> None:
        packer = zlib.compressobj(9, wbits=31 if coding == "gzip" else 15)
        packed = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(100)) + packer.flush()
        assert len(packed) < MAX_BODY
        megabytes()
        before, started = megabytes(), time.monotonic()
        headers = {"Content-Type": "application/json", "Content-Encoding": coding}
        answer = rig.client.post(PATH, content=packed, headers=headers)
        assert answer.status_code == 413
        assert megabytes() - before < 30
        assert time.monotonic() - started < 5

    @pytest.mark.parametrize(
        ("label", "body"),
        [
            ("brackets", b"[" * 100_000),
            ("braces", b'{"a":' * 30_000),
            ("brackets inside a field", b'{"content":"abcd","petitioners":' + b"[" * 100_000),
            (
                "closed brackets inside a field",
                b'{"content":"abcd","petitioners":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
            ),
            ("fifty thousand fields", b"{" + b",".join(b'"a%d":1' % n for n in range(15_000)) + b"}"),
            ("one field fifteen thousand times", b"{" + b",".join(b'"content":"abcd"' for _ in range(10_000)) + b"}"),
            ("thousands of wrong people", b'{"content":"abcd","petitioners":[' + b",".join([b"1"] * 50_000) + b"]}"),
            ("a number of 100,000 digits", b'{"content":"abcd","headcount":' + b"9" * 100_000 + b"}"),
            ("an exponent", b'{"content":"abcd","headcount":1e' + b"9" * 1000 + b"}"),
        ],
    )
    def test_json_bombs(self, rig: Rig, label: str, body: bytes) -> None:
        megabytes()
        before, started = megabytes(), time.monotonic()
        answer = rig.client.post(PATH, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 413, 422, 201), label
        assert (answer.status_code == 201) == (label == "one field fifteen thousand times")
        assert time.monotonic() - started < 2
        assert megabytes() - before < 60
        assert len(answer.content) < 20_000, "a long list of faults is cut"

    def test_a_zip_bomb_is_kept_as_it_is(self, rig: Rig) -> None:
        packed = io.BytesIO()
        with (
            zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
            archive.open("a", "w") as file,
        ):
            for _ in range(200):
                file.write(bytes(1 << 20))
        megabytes()
        before, started = megabytes(), time.monotonic()
        body, kind = multipart(("petition", GOOD, None), ("attachments", packed.getvalue(), "照片.zip"))
        assert rig.client.post(PATH, content=body, headers={"Content-Type": kind}).status_code == 201
        assert (time.monotonic() - started < 2, megabytes() - before < 30) == (True, True)

    def test_an_image_bomb_is_kept_as_it_is(self, rig: Rig) -> None:
        """60,000 x 60,000 pixels in a file of some kilobytes: nobody opens it at the door."""
        header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
        image = b"\x89PNG\r\n\x1a\n\0\0\0\r" + header + zlib.crc32(header).to_bytes(4, "big")
        image += b"\0\0\x03\xe8IDAT" + zlib.compress(bytes(1 << 20))[:1000]
        megabytes()
        before, started = megabytes(), time.monotonic()
        body, kind = multipart(("petition", GOOD, None), ("attachments", image, "照片.png"))
        assert rig.client.post(PATH, content=body, headers={"Content-Type": kind}).status_code == 201
        assert (time.monotonic() - started < 2, megabytes() - before < 30) == (True, True)

    def test_files_beyond_the_limit_leave_nothing_behind(self, rig: Rig) -> None:
        body, kind = multipart(("petition", GOOD, None), ("attachments", bytes(MAX_UPLOAD + 1), "a.bin"))
        assert rig.client.post(PATH, content=body, headers={"Content-Type": kind}).status_code == 413
        spool = Path(rig.house.settings.data) / "spool"
        assert list(spool.iterdir()) == []

    def test_who_hangs_up_in_the_middle_is_no_error_of_ours(self, rig: Rig) -> None:
        rig.raw(
            request(b"Content-Type: application/json", b"Content-Length: 1000", body=b"{"), wait=0.2, half_close=True
        )
        body, kind = multipart(("petition", GOOD, None), ("attachments", bytes(1000), "a"))
        head = request(b"Content-Type: " + kind.encode(), b"Content-Length: %d" % len(body), body=body[:-500])
        rig.raw(head, wait=0.2, half_close=True)
        spool = Path(rig.house.settings.data) / "spool"
        assert until(lambda: list(spool.iterdir()) == [])


@pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
@pytest.mark.parametrize(
    ("label", "body", "kind"),
    [
        ("half a character", "title=%ed%a0%80", "application/x-www-form-urlencoded"),
        ("an unknown charset", "title=a", "application/x-www-form-urlencoded; charset=nonsense"),
        ("utf-7", "title=%2BADw-", "application/x-www-form-urlencoded; charset=utf-7"),
        ("two thousand fields", "&".join(f"a{n}=1" for n in range(2000)), "application/x-www-form-urlencoded"),
        ("JSON", "{}", "application/json"),
        ("no boundary", "x", "multipart/form-data"),
        ("another boundary", "--b--", "multipart/form-data; boundary=a"),
        (
            "the charset trick",
            '--a\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n' + "x" * 60 + "\r\n--a--\r\n",
            "multipart/form-data; boundary=a",
        ),
    ],
)
@pytest.mark.parametrize("page", ["/file", "/file/story", "/file/evidence", "/track", "/display", "/track/supplement"])
def test_forms_of_rubbish(rig: Rig, page: str, label: str, body: str, kind: str) -> None:
    answer = rig.client.post(page, content=body.encode(), headers={"Content-Type": kind})
    assert 300 <= answer.status_code < 500, (label, answer.status_code)
