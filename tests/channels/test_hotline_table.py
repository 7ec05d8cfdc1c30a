"""Tables of work orders: every code and sign they come in, what a row becomes, and files that mean harm."""

from __future__ import annotations

import io
import random
import time
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from channels.hotline_columns import CELL_WORDS, COLUMNS, HEADINGS
from channels.hotline_form import OrderReader, canonical
from channels.hotline_table import BODY_MAX, OTHERS, ROWS_MAX, Row, read_table
from petition.clock import SHANGHAI
from petition.errors import PetitionError, TooLarge, Unreadable

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI)
SAMPLE = (Path(__file__).parent.parent / "samples/hotline/orders.csv").read_text(encoding="utf-8")
HEAD = "工单编号,诉求内容"
ROW = "GD-0001,楼道灯坏了半个月"
ORDER = {"order_no": "GD-0001", "content": "楼道灯坏了半个月"}


def rows(text: str | bytes) -> list[Row]:
    return list(read_table(text.encode() if isinstance(text, str) else text, "工单.csv"))


def one(heading: str, cell: str) -> Row:
    """The only row of a table with one more column."""
    [row] = rows(f"{HEAD},{heading}\n{ROW},{cell}\n")
    return row


def xlsx(*sheets: list[list[object]], titles: tuple[str, ...] = ()) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for place, lines in enumerate(sheets):
        sheet = book.create_sheet(titles[place] if titles else f"表{place + 1}")
        for cells in lines:
            sheet.append(cells)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def repacked(body: bytes, changes: dict[str, bytes]) -> bytes:
    """The same XLSX with some members replaced."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {*old.namelist(), *changes}:
            new.writestr(name, changes.get(name) or old.read(name))
    return target.getvalue()


TABLE: list[list[object]] = [["工单编号", "诉求内容"], ["GD-0001", "楼道灯坏了半个月"]]
XLSX = xlsx(TABLE)
SHEET = "xl/worksheets/sheet1.xml"


def member(name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(XLSX)) as archive:
        return archive.read(name)


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("sign", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_every_code_and_sign(code: str, sign: str, ending: str) -> None:
    text = "\n".join((HEAD, ROW, ROW.replace("0001", "0002"))).replace(",", sign).replace("\n", ending)
    found = rows(text.encode(code))
    assert [row.order for row in found] == [ORDER, {**ORDER, "order_no": "GD-0002"}]
    assert [row.line for row in found] == [2, 3]


@pytest.mark.parametrize("code", ["utf-8", "gb18030"])
def test_the_sample_of_a_hotline(code: str) -> None:
    first, second, third = rows(SAMPLE.encode(code))
    assert (first.line, second.line, third.line) == (3, 5, 6), "as the spreadsheet counts"
    assert first.order["caller"] == {"name": "张示例", "mobile": "15400000001"}
    assert first.order["content"] == f"家中室温仅13度,\n多次报修未果\n\n{OTHERS}\n承办建议：建议转供热办"
    assert (first.order["confidential"], first.order["reply_wanted"]) == (False, True)
    assert first.order["started_at"] == "2026-11-22T09:12:00+08:00"
    assert second.order["caller"]["landline"] == "0931-8000000"
    assert (second.order["kind"], second.order["place_words"]) == ("投诉", "城关区")
    assert [problem.field for problem in third.problems] == ["诉求类型", "受理时间"]
    assert third.order == {}
    assert third.cells["诉求内容（必填）"] == "想问养老金怎么认证", "a refused row can be kept"
    reader = OrderReader()
    for row in (first, second):
        reader.read(row.order, canonical(row.order), NOW, {"620102"}.__contains__)


def test_every_heading_leads_to_one_field() -> None:
    names = [name for path, words in COLUMNS.items() for name in (path, *words.split())]
    assert len(names) == len(set(names)) == len(HEADINGS)
    assert set(CELL_WORDS) <= set(COLUMNS)


# label, heading, cell, what the order has there
CELLS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("an English name", "Caller_Mobile", "154", {"caller": {"mobile": "154"}}),
    ("a path", "three_way.unit", "示例公司", {"three_way": {"unit": "示例公司"}}),
    ("a star and a hint", "*标题（必填）", "路灯", {"title": "路灯"}),
    ("blanks in a heading", " 标 题 ", "路灯", {"title": "路灯"}),
    ("a number kept as text by Excel", "来电号码", '"=""09318000000"""', {"caller_number": "09318000000"}),
    ("an apostrophe", "来电号码", "'15400000001", {"caller_number": "15400000001"}),
    ("both numbers in one cell", "联系电话", "15400000001、0931-8000000",
     {"caller": {"mobile": "15400000001", "landline": "0931-8000000"}}),
    ("a number that is none", "联系电话", "123", {"caller": {"mobile": "123"}}),
    ("a code of a place", "事发地区划", "620102001", {"place_region": "620102001"}),
    ("the name of a place", "事发地区划", "城关区", {"place_words": "城关区"}),
    ("slashes", "受理时间", "2026/1/2 3:04", {"started_at": "2026-01-02T03:04:00+08:00"}),
    ("Chinese time", "受理时间", "2026年1月2日 3时4分5秒", {"started_at": "2026-01-02T03:04:05+08:00"}),
    ("a day", "受理时间", "2026-01-02", {"started_at": "2026-01-02T00:00:00+08:00"}),
    ("a zone", "受理时间", "2026-01-02T03:04:05+00:00", {"started_at": "2026-01-02T03:04:05+00:00"}),
    ("yes", "是否保密", "保密", {"confidential": True}),
    ("no", "是否回访", "不需要", {"callback_wanted": False}),
    ("wide letters", "是否回复", "Ｙ", {"reply_wanted": True}),
    ("gender", "性别", "女", {"caller": {"gender": "FEMALE"}}),
    ("gender unknown", "性别", "未知", {}),
    ("score", "回访评分", "5分", {"callback_score": 5}),
    ("kind", "诉求类型", "举报类", {"kind": "举报"}),
    ("urgency", "紧急程度", "加急", {"urgency": "紧急"}),
]  # fmt: skip


@pytest.mark.parametrize(("heading", "cell", "wanted"), [case[1:] for case in CELLS], ids=[case[0] for case in CELLS])
def test_a_cell_becomes_a_field(heading: str, cell: str, wanted: dict[str, Any]) -> None:
    row = one(heading, cell)
    assert row.problems == ()
    assert row.order == {**ORDER, **wanted}


# label, heading, cell, code of the problem
BAD_CELLS: list[tuple[str, str, str, str]] = [
    ("no such day", "受理时间", "2026-02-30", "time"),
    ("the day in words", "受理时间", "昨天", "time"),
    ("maybe", "是否保密", "看情况", "unknown_value"),
    ("score 6", "回访评分", "6", "unknown_value"),
    ("kind of two", "诉求类型", "投诉举报", "unknown_value"),
    ("a number made short by Excel", "身份证号", "6.20199E+17", "cell"),
    ("a formula that failed", "姓名", "#REF!", "cell"),
]


@pytest.mark.parametrize(("heading", "cell", "code"), [case[1:] for case in BAD_CELLS], ids=[c[0] for c in BAD_CELLS])
def test_a_cell_that_cannot_be_taken_is_told(heading: str, cell: str, code: str) -> None:
    row = one(heading, cell)
    assert [(problem.field, problem.code) for problem in row.problems] == [(heading, code)]
    assert any("\u4e00" <= sign <= "\u9fff" for sign in row.problems[0].words)
    assert row.order == {}
    assert row.cells[heading] == cell


def test_no_cell_is_lost() -> None:
    """Unknown headings, a field filled twice, cells beyond the headings: all stand under the content."""
    [row] = rows(f"{HEAD},标题,工单标题,网格员\n{ROW},路灯,灯坏,张示例,多出来的\n")
    assert row.order["title"] == "路灯"
    assert row.order["content"].endswith(f"\n\n{OTHERS}\n工单标题：灯坏\n网格员：张示例\n第6列：多出来的")


def test_a_broken_row_stops_nobody() -> None:
    text = f'{HEAD}\nGD-0001,"没有收尾的引号\n{ROW}\n,没有编号\n\nGD-0004,正常\n'
    found = rows(text)
    told = [(row.line, [one.code for one in row.problems]) for row in found]
    assert told == [(2, ["quotes"]), (3, []), (4, ["missing"]), (6, [])]
    assert [row.order.get("order_no") for row in found] == [None, "GD-0001", None, "GD-0004"]


def test_bytes_that_are_no_text_refuse_their_row_only() -> None:
    many = "".join(f"GD-{number:04},楼道灯坏了半个月\n" for number in range(20))
    body = f"{HEAD}\n{many}".encode() + b"GD-0020,\xff\xfe\xff\n" + "GD-0021,正常\n".encode()
    found = rows(body)
    assert [row.line for row in found if row.problems] == [22]
    assert found[-1].order == {"order_no": "GD-0021", "content": "正常"}


def test_a_table_without_headings_is_told() -> None:
    for text in ("甲,乙\n1,2\n", "just words", "\0\1\2\3" * 100, "GD-1,a\n" * 50):
        [row] = rows(text)
        assert [problem.code for problem in row.problems] == ["headings"], text
    found = rows("姓名,诉求内容\n张示例,路灯\n")
    assert [[one.code for one in row.problems] for row in found] == [["headings"], ["missing"]]


@pytest.mark.parametrize(
    ("label", "body", "kind"),
    [
        ("empty", b"", Unreadable),
        ("blank", b"\xef\xbb\xbf \r\n", Unreadable),
        ("old XLS or encrypted", b"\xd0\xcf\x11\xe0" + b"\0" * 600, Unreadable),
        ("PDF", b"%PDF-1.7\n", Unreadable),
        ("a page called xls", b"<html><table>", Unreadable),
        ("cut off", XLSX[: len(XLSX) // 2], Unreadable),
        ("a zip of something else", repacked(XLSX, {})[:4] + b"\0" * 100, Unreadable),
        ("no workbook", repacked(XLSX, {"xl/workbook.xml": b"<x/>"}), Unreadable),
        ("a document type", repacked(XLSX, {SHEET: b'<?xml version="1.0"?><!DOCTYPE a><a/>'}), Unreadable),
        ("UTF-16", repacked(XLSX, {SHEET: '<?xml version="1.0"?><a/>'.encode("utf-16")}), Unreadable),
        ("EBCDIC", repacked(XLSX, {SHEET: b'<?xml version="1.0" encoding="cp037"?><a/>'}), Unreadable),
        ("too large", b"a" * (BODY_MAX + 1), TooLarge),
        ("too many lines", b"\n" * (2 << 20) + b"a", TooLarge),
        ("elements without end", repacked(XLSX, {SHEET: b"<a>" + b"<b/>" * 2_500_001 + b"</a>"}), TooLarge),
    ],
)
def test_what_is_no_table_is_refused_at_once(label: str, body: bytes, kind: type[PetitionError]) -> None:
    with pytest.raises(kind):
        read_table(body, "工单.xlsx")


def test_a_zip_bomb_is_refused_before_it_unpacks() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/a.xml", "w") as part:
        for _ in range(301):
            part.write(b"\0" * (1 << 20))
    began = time.process_time()
    with pytest.raises(TooLarge):
        read_table(target.getvalue(), "工单.xlsx")
    assert time.process_time() - began < 0.5, "by its directory alone"


def test_a_workbook() -> None:
    lines: list[list[object]] = [
        ["十一月工单"],
        [],
        ["工单编号", "诉求内容", "联系电话", "受理时间", "是否保密", "身份证号"],
        [20261122000201, "路灯", 15400000001, datetime(2026, 11, 22, 9, 12), True, None],
        [20261122000202.0, "路灯", None, date(2026, 11, 22), None, 620199199007260029],
    ]
    first, second = read_table(xlsx(lines), "工单.xlsx")
    assert first.order == {
        "order_no": "20261122000201",
        "content": "路灯",
        "caller": {"mobile": "15400000001"},
        "started_at": "2026-11-22T09:12:00+08:00",
        "confidential": True,
    }
    assert (first.line, first.sheet) == (4, "表1")
    assert [(one.field, one.code) for one in second.problems] == [("身份证号", "cell")], "Excel keeps only 15 digits"


def shared(texts: bytes) -> bytes:
    """The table as Excel writes it, its texts in a part of their own."""
    types, sheet = member("[Content_Types].xml"), member(SHEET)
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    part = b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/></Types>' % kind
    cells = [b'<row><c t="s"><v>%d</v></c><c t="s"><v>%d</v></c></row>' % pair for pair in ((0, 1), (2, 3))]
    data = b"<sheetData>" + b"".join(cells) + b"</sheetData>"
    changes = {
        "[Content_Types].xml": types.replace(b"</Types>", part),
        SHEET: sheet[: sheet.index(b"<sheetData")] + data + sheet[sheet.index(b"</sheetData>") + 12 :],
        "xl/sharedStrings.xml": b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>'
        % texts,
    }
    return repacked(XLSX, changes)


def test_shared_texts() -> None:
    texts = "".join(f"<si><t>{text}</t></si>" for line in TABLE for text in line)
    [row] = read_table(shared(texts.encode()), "工单.xlsx")
    assert row.order == ORDER
    assert [one.problems[0].code for one in read_table(shared(b""), "工单.xlsx")] == ["broken"]


def test_every_sheet_is_read_or_told() -> None:
    found = list(read_table(xlsx(TABLE, [["填表说明"]], [], TABLE, titles=("一", "说明", "空", "二")), "工单.xlsx"))
    assert [(row.sheet, row.order, [one.code for one in row.problems]) for row in found] == [
        ("一", ORDER, []),
        ("说明", {}, ["headings"]),
        ("二", ORDER, []),
    ]


def test_a_sheet_that_breaks_half_way_keeps_what_came_before() -> None:
    sheet = member(SHEET)
    broken = sheet.replace(b"</sheetData>", b"<row><c></sheetData>")
    first, second = read_table(repacked(XLSX, {SHEET: broken}), "")
    assert first.order == ORDER
    assert [problem.code for problem in second.problems] == ["broken"]


def test_a_far_row_does_not_hold_the_house_up() -> None:
    sheet = member(SHEET)
    far = sheet.replace(b"</sheetData>", b'<row r="2000000000"><c t="str"><v>x</v></c></row></sheetData>')
    began = time.process_time()
    first, second = read_table(repacked(XLSX, {SHEET: far}), "")
    assert first.order == ORDER
    assert [problem.code for problem in second.problems] == ["too_many"]
    assert time.process_time() - began < 10


def test_rows_beyond_the_limit_are_told() -> None:
    found = rows(HEAD + "\n" + f"{ROW}\n" * (ROWS_MAX + 5))
    assert len(found) == ROWS_MAX + 1
    assert [one.code for one in found[-1].problems] == ["too_many"]
    assert found[-1].line == ROWS_MAX + 2


def test_open_quotation_marks_everywhere_end() -> None:
    began = time.process_time()
    found = rows(HEAD + "\n" + f'GD-1,"{"长" * 700}\n"' * 3000)
    assert found
    assert time.process_time() - began < 10


def mutant(chance: random.Random, good: bytes) -> bytes:
    body = bytearray(good)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(body))
        body[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    return bytes(body)


@pytest.mark.filterwarnings("ignore")  # openpyxl warns of what it does not know
@pytest.mark.parametrize("kind", ["csv", "xlsx", "member of an xlsx"])
def test_mutants_are_read_or_refused(kind: str) -> None:
    """Nothing but a refusal is ever raised, and each row is an order or tells its problems."""
    chance = random.Random(12345)
    with zipfile.ZipFile(io.BytesIO(XLSX)) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    read = refused = 0
    for _ in range(200):
        if kind == "csv":
            body = mutant(chance, SAMPLE.encode("gb18030"))
        elif kind == "xlsx":
            body = mutant(chance, XLSX)
        else:
            name = chance.choice([*members])
            body = repacked(XLSX, {name: mutant(chance, members[name])})
        try:
            found = list(read_table(body, "x"))
        except (Unreadable, TooLarge):
            refused += 1
        else:
            read += 1
            assert all(bool(row.order) != bool(row.problems) for row in found)
    assert (refused if kind == "xlsx" else read) > 50
