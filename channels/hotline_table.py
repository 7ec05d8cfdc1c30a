"""Tables of work orders (工单表): CSV and XLSX as hotlines export them, read row by row into orders."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any

from channels.hotline_columns import CELL_WORDS, COLUMNS, HEADINGS
from petition.clock import SHANGHAI
from petition.errors import Problem, TooLarge, Unreadable
from petition.identity import normal_landline, normal_mobile, tidy

BODY_MAX = 30 << 20
ROWS_MAX = 20_000
OTHERS = "【表格中的其他栏目】"
_UNPACKED_MAX = 300 << 20  # bytes of all members of an XLSX
_ELEMENTS_MAX = 2_500_000  # XML elements of an XLSX: each costs memory, however short it is
_LINES_MAX = 1 << 20  # as many as a sheet can have; a file with one far row stands for all before it
_HEADING_ROWS = 10  # above the headings stand a title, a period, a unit
_SPAN_MAX = 200  # lines of one quoted CSV row; beyond it a quotation mark was left open
_PIECE = 1 << 20
_BROKEN_MAX = 1000  # CSV rows with an open quotation mark: each one costs reading ahead

_MOMENT = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]*(\d{1,2})[:时点](\d{1,2})(?:[:分](\d{1,2})?秒?(?:\.\d+)?)?分?)?"
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_OTHER_CODE = re.compile(rb"\s*(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?encoding\s*=\s*[\"'](?!utf-8[\"'])", re.IGNORECASE)
_LOSSY = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+?\d{2}")
_FAULT = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|GETTING_DATA)")
_REGION = re.compile(r"[0-9]{6,12}")

Cells = Sequence[object]
Line = tuple[int, Cells | Problem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table (表格行). line: as the spreadsheet counts, from 1; sheet: its name, empty for CSV.

    Either `order` is there, for `Hotline.enter` (which checks its fields), or `problems` say what is wrong, with the
    heading as their field. cells: what stood in the row by heading, so that a refused row can be kept as well.
    """

    line: int
    order: dict[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    cells: dict[str, str] = field(default_factory=dict)
    sheet: str = ""


def read_table(body: bytes, name: str) -> Iterator[Row]:
    """The rows of a table. body: the file; name: its name, only for the words of a refusal.

    CSV in UTF-8, UTF-16 with a mark, or GB18030, with comma, semicolon or tab; or XLSX, every sheet of it. The kind is
    told by the bytes. Raises TooLarge and Unreadable at once for a file that is no table at all; after that nothing is
    raised: a row that cannot be read, a sheet without headings, and the rows beyond ROWS_MAX are rows with problems.
    Times without a zone are those of China, which has only one.
    """
    if len(body) > BODY_MAX:
        raise TooLarge(f"表格文件最大 {BODY_MAX >> 20} MB，请分成几个文件。")
    if not body.strip(b"\0\t\r\n \xef\xbb\xbf\xff\xfe"):
        raise Unreadable("表格文件是空的。")
    if body.startswith((b"\xd0\xcf\x11\xe0", b"%PDF-", b"{\\rtf", b"<")):
        raise Unreadable(f"「{tidy(name)[-60:]}」不是 CSV 或 XLSX 表格；旧的 XLS 和加密的表格请另存为 XLSX。")
    if body.startswith(b"PK\x03\x04"):
        _check_archive(body)
        return _limited(_rows_of_book(_book(body)))
    lines = _csv_lines(body)
    return _limited(_rows("", _read_csv(lines, _delimiter(lines))))


def _limited(rows: Iterable[Row]) -> Iterator[Row]:
    for count, row in enumerate(rows):
        if count == ROWS_MAX:
            words = f"超过{ROWS_MAX}行，从这一行起没有读取，请分成几个文件。"
            yield Row(line=row.line, sheet=row.sheet, problems=(Problem("table", "too_many", words),))
            return
        yield row


def _rows(sheet: str, lines: Iterator[Line]) -> Iterator[Row]:
    """The rows under the headings."""
    titles: list[tuple[str, str]] = []
    seen = 0
    for line, cells in lines:
        if isinstance(cells, Problem):
            yield Row(line=line, sheet=sheet, problems=(cells,))
        elif not any(_shown(cell) for cell in cells):
            continue
        elif titles:
            yield _row(sheet, line, titles, cells)
        elif len(known := _known(cells)) >= 2:
            titles = [(title := _shown(cell), _path(title)) for cell in cells]
            if missing := {"order_no": "工单编号", "content": "诉求内容"}.keys() - known:
                words = (
                    "表头缺少" + "和".join(sorted(COLUMNS[path].split()[0] for path in missing)) + "，各行都会缺少它。"
                )
                yield Row(line=line, sheet=sheet, problems=(Problem("table", "headings", words),))
        elif (seen := seen + 1) == _HEADING_ROWS:
            break
    if not titles and seen:
        words = f"前{_HEADING_ROWS}行里没有找到表头（至少要有工单编号和诉求内容），没有读取。"
        yield Row(line=1, sheet=sheet, problems=(Problem("table", "headings", words),))


def _known(cells: Cells) -> set[str]:
    return {path for cell in cells if (path := _path(_shown(cell)))}


def _path(title: str) -> str:
    """The field of a heading, empty if it is none of ours. Stars and words in brackets say "required", "format"."""
    return HEADINGS.get(re.sub(r"\([^)]*\)|[*\s::]", "", tidy(title[:100])).lower(), "")


def _row(sheet: str, line: int, titles: list[tuple[str, str]], cells: Cells) -> Row:
    said: dict[str, str] = {}
    order: dict[str, Any] = {}
    others: list[str] = []
    problems: list[Problem] = []
    for place, cell in enumerate(cells):
        text = _shown(cell)
        if not text:
            continue
        title, path = titles[place] if place < len(titles) else ("", "")
        title = title or f"第{place + 1}列"
        said[f"{title}（第{place + 1}列）" if title in said else title] = text
        if fault := _fault(cell, text) if path else "":
            problems.append(Problem(title, "cell", fault))
        elif not path or not _put(order, path, cell, text):
            if path in CELL_WORDS and _get(order, path) is None:
                problems.append(Problem(title, "unknown_value", CELL_WORDS[path][1]))
            elif path in ("started_at", "ended_at") and path not in order:
                problems.append(Problem(title, "time", "应为时间，例如 2026-11-22 09:12。"))
            else:
                others.append(f"{title}：{' '.join(text.split())}")
    for path in ("order_no", "content"):
        title = COLUMNS[path].split()[0]
        if path not in order and not any(_path(one.field) == path for one in problems):
            problems.append(Problem(title, "missing", f"这一行没有{title}。"))
    if problems:
        return Row(line=line, sheet=sheet, problems=tuple(problems), cells=said)
    if others:
        order["content"] = "\n".join((order["content"], "", OTHERS, *others))
    return Row(line=line, sheet=sheet, order=order, cells=said)


def _put(order: dict[str, Any], path: str, cell: object, text: str) -> bool:
    """Put a cell into its field; False when the field does not take it, or another column has filled it."""
    value: Any = text
    if path == "contact":
        return _put_contact(order, text)
    if path == "place_region" and not _REGION.fullmatch(text):
        path = "place_words"  # the name of the place, not its code
    if path == "place_words" and len(together := f"{order.get(path, '')} {text}".strip()) <= 200:
        order[path] = together
        return True
    if path in ("started_at", "ended_at"):
        value = _moment(cell, text)
    elif path in CELL_WORDS:
        words = CELL_WORDS[path][0]
        if (key := tidy(text).lower()) not in words:
            return False
        value = words[key]
        if value is None:  # said to be unknown, which is the same as not said
            return True
    if value is None or _get(order, path) is not None:
        return False
    *above, last = path.split(".")
    target = order
    for part in above:
        target = target.setdefault(part, {})
    target[last] = value
    return True


def _put_contact(order: dict[str, Any], text: str) -> bool:
    """One column for mobile and landline, sometimes for both."""
    whole = True
    for part in re.split(r"[、,，;；/\n]+", text):
        path = "caller.landline" if normal_landline(part) and not normal_mobile(part) else "caller.mobile"
        whole &= not part.strip() or (len(part) <= 40 and _put(order, path, part, part.strip()))
    return whole


def _get(order: dict[str, Any], path: str) -> object:
    above, _, last = path.rpartition(".")
    return (order.get(above, {}) if above else order).get(last)


def _moment(cell: object, text: str) -> str | None:
    if isinstance(cell, datetime):
        return cell.replace(microsecond=0, tzinfo=cell.tzinfo or SHANGHAI).isoformat()
    try:
        if found := _MOMENT.fullmatch(tidy(text)):
            return datetime(*(int(part or 0) for part in found.groups()), tzinfo=SHANGHAI).isoformat()  # type: ignore[misc, arg-type]
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.isoformat() if moment.tzinfo else None


def _shown(cell: object) -> str:
    """What a person sees in the cell."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
    text = str(cell).strip()
    if found := re.fullmatch(r'="([^"]*)"', text):  # how CSV keeps the zeros of a number from Excel
        return found[1].strip()
    return text[1:] if re.match(r"'[0-9]", text) else text


def _fault(cell: object, text: str) -> str:
    """Why the spreadsheet itself has lost what stood here; empty if it has not."""
    if (isinstance(cell, int | float) and abs(cell) >= 1e15) or _LOSSY.fullmatch(text):
        return "这一格的长号码被表格软件改成了数值，末几位已经不对，请改成文本格式后重新填写。"
    if _FAULT.fullmatch(text):
        return "这一格是出错的公式。"
    return "这一格有认不出的字，请核对文件的编码。" if "\ufffd" in text else ""


def _csv_lines(body: bytes) -> list[str]:
    if max(body.count(b"\n"), body.count(b"\r")) > _LINES_MAX:
        raise TooLarge(f"表格超过{_LINES_MAX}行，请分成几个文件。")
    return list(io.StringIO(_decoded(body), newline=""))


def _decoded(body: bytes) -> str:
    """The text; bytes that are nothing become U+FFFD, and only their rows are refused."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    text = body.decode("utf-8-sig", "replace")
    bad = text.count("\ufffd")
    # Of GB18030 read as UTF-8 nearly every sign is bad; of UTF-8 with a broken place very few are.
    if bad and bad * 10 > sum(sign > "\x7f" for sign in text):
        return body.decode("gb18030", "replace")
    return text


def _delimiter(lines: list[str]) -> str:
    """The sign under which most headings are known."""

    def count(sign: str) -> int:
        rows = (cells for _, cells in islice(_read_csv(lines, sign), _HEADING_ROWS * 2))
        return max((len(_known(cells)) for cells in rows if not isinstance(cells, Problem)), default=0)

    return max((",", ";", "\t"), key=count)


def _read_csv(lines: list[str], delimiter: str) -> Iterator[Line]:
    """(line, cells). After a row with an open quotation mark reading goes on in the next line, not at the end."""
    at = broken = 0
    while at < len(lines):
        ahead = map(lines.__getitem__, range(at, min(at + _SPAN_MAX, len(lines))))
        reader = csv.reader(ahead, delimiter=delimiter, strict=True)
        try:
            yield at + 1, next(reader)
            at += reader.line_num
        except csv.Error:
            at, broken = at + 1, broken + 1
            if broken > _BROKEN_MAX:
                yield at, Problem("table", "quotes", "引号没有成对的行太多，从这一行起没有读取。")
                return
            yield at, Problem("table", "quotes", "这一行的引号没有成对，或有一格太长，没有读取。")


def _check_archive(body: bytes) -> None:
    """Refuse what would unpack into too much, before anything parses it. Raises TooLarge, Unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > _UNPACKED_MAX or len(members) > 2000:
                raise TooLarge("表格解压后太大，请分成几个文件。")
            if sum(_elements(archive, member) for member in members) > _ELEMENTS_MAX:
                raise TooLarge("表格的格子太多，请分成几个文件。")
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, RuntimeError, EOFError, LookupError) as problem:
        raise Unreadable("XLSX 文件已损坏或加了密码，无法读取。") from problem


def _elements(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """How many XML elements a member has, whatever its name. Raises Unreadable for what XLSX never has: a document
    type (its entities unpack without end), and codes other than UTF-8, in which this count would see nothing.
    """
    count, tail = 0, b""
    with archive.open(member) as part:
        while piece := part.read(_PIECE):
            if not count and not tail and (piece[:2] in _UTF16 or _OTHER_CODE.match(piece)):
                raise Unreadable("XLSX 文件里的编码不是 UTF-8，无法读取。")
            count += piece.count(b"<") - piece.count(b"</")
            if b"<!DOCTYPE" in tail + piece:
                raise Unreadable("XLSX 文件里有不允许的文档类型声明。")
            tail = piece[-8:]
    return count


def _book(body: bytes) -> Any:
    from openpyxl import load_workbook  # here, because a start should not wait for what few of its days need

    try:
        book = load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
    except Exception as problem:  # openpyxl documents none of what broken files raise: KeyError, TypeError, ParseError
        raise Unreadable("XLSX 文件已损坏，无法读取。") from problem
    if not book.worksheets:
        raise Unreadable("XLSX 文件里没有工作表。")
    return book


def _rows_of_book(book: Any) -> Iterator[Row]:
    for sheet in book.worksheets:
        yield from _rows(sheet.title, _read_sheet(sheet))


def _read_sheet(sheet: Any) -> Iterator[Line]:
    line = 0
    try:
        sheet.reset_dimensions()  # what the file says of its size is often wrong and would cut rows off
        for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            if line > _LINES_MAX:
                yield line, Problem("table", "too_many", f"超过{_LINES_MAX}行，从这一行起没有读取。")
                return
            yield line, cells
    except Exception:  # as in _book
        yield line + 1, Problem("table", "broken", "工作表从这一行起已损坏，没有读取。")
