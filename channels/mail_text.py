"""邮件文字 The words of a mail: character sets, and HTML as plain lines."""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Callable

# Labels of Chinese sets are all read with their superset (HARD_CASES 1).
_CHINESE = re.compile(r"(?:x-|iso-?)?(?:gb_?-?2312|gbk|gb_?-?18030|cp-?936|ms-?936|windows-?936|euc-cn|chinese|hz)")
_LABEL = re.compile(r"[\s\"']*([a-z0-9][a-z0-9._:+-]{1,39})", re.I)
# Codecs that are character sets of mail; Python knows others (punycode, idna, unicode_escape) that are none.
_SETS = re.compile(r"utf|iso|cp|windows|koi8|big5|euc|shift|sjis|ms|mac|latin|ks|johab|tis|us-ascii|ascii|l\d")
_LATIN = frozenset({"ascii", "iso8859-1", "iso8859-15", "cp1252"})
_ESCAPE = re.compile(rb"\x1b(\$[@B]|\([BJI])")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
_DIRECTION = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_TAG = re.compile(r"<(/?)([a-z][a-z0-9:]{0,30})((?>[^<>\"']|\"[^\"]*\"|'[^']*')*+)>", re.I)
_ATTRIBUTE = re.compile(r"([a-z-]{1,30})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.I)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.I)
_HIDDEN_WORD = re.compile(r"(?<![\w=\"'-])hidden(?![\w-])", re.I)
_QUOTING = re.compile(r"gmail_quote|yahoo_quoted|isreplycontent|protonmail_quote|ntes-mailmaster-quote", re.I)
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
_RAW = frozenset({"script", "style", "title", "template", "xml"})
_VOID = frozenset("area base br col embed hr img input link meta param source wbr".split())
_SPACED = frozenset("p h1 h2 h3 h4 h5 h6 ul ol pre table blockquote".split())
_BLOCK = _SPACED | frozenset(
    "address article aside body center dd div dl dt fieldset footer form header hr html li main nav section tr".split()
)
_SLICE = 1 << 16

Check = Callable[[], None]


def decode(body: bytes, label: str) -> tuple[str, bool]:
    """(text, whether the set had to be guessed) for a declared charset, "" if none; never raises.
    Guessing order: UTF-8, GB18030, Latin-1. Damage in a few places shows as U+FFFD, not as another set's signs.
    """
    if not label and body.isascii():
        return body.decode("ascii"), False
    if (codec := _codec(label)) == "iso2022_jp_ext":
        return _strictly(body, codec) or _japanese(body), False
    if body.isascii() and not codec.startswith(("utf", "iso2022", "hz")):
        if codec != "gb18030" or b"~{" not in body:
            return body.decode("ascii"), False
        codec = "hz"
    for proof, guess in (("utf-8", "utf-8"), ("gb2312", "gb18030")):
        if codec in _LATIN and _strictly(body, proof) is not None:  # programs that did not think of Chinese
            return body.decode(guess, "replace"), True
    for sure in (codec, "utf-8"):
        if sure and (text := _strictly(body, sure)) is not None:
            return text, sure != codec
    for damaged in dict.fromkeys((codec if codec.startswith("utf") else "", "utf-8", "gb18030", codec)):
        text = body.decode(damaged, "replace") if damaged else ""
        strange = len(text) - len(text.encode("ascii", "ignore"))
        if text and text.count("\ufffd") * (3 if damaged.startswith("utf") else 10) <= strange:
            return text, True
    return body.decode("latin-1"), True


def clean_text(text: str) -> str:
    """Without control signs and halves of characters, lines ended by a line feed."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean_line(text: str) -> str:
    """The same on one line, without signs that turn or hide it."""
    return " ".join(_DIRECTION.sub("", clean_text(text)).split())


def _codec(label: str) -> str:
    name = found[1].lower() if (found := _LABEL.match(label)) else ""
    if _CHINESE.match(name):
        return "gb18030"
    if name.startswith(("iso-2022-jp", "iso2022-jp", "csiso2022jp")):
        return "iso2022_jp_ext"
    try:
        codec = codecs.lookup(name).name if _SETS.match(name) else ""
    except LookupError:
        return ""
    return "big5hkscs" if codec == "big5" else codec


def _strictly(body: bytes, codec: str) -> str | None:
    try:
        return body.decode(codec)
    except (UnicodeError, LookupError):
        return None


def _japanese(body: bytes) -> str:
    """ISO-2022-JP whose double bytes are read as CP932, the set that programs really mean by it."""
    if len(body) > 500_000:  # the slow way would cost more than it helps
        return body.decode("iso2022_jp_ext", "replace")
    pieces, last, double = [], 0, False
    for found in [*_ESCAPE.finditer(body), None]:
        piece = body[last : found.start() if found else len(body)]
        if double:
            pairs = zip(piece[::2], piece[1::2], strict=False)
            piece = b"".join(_shifted(row & 0x7F, cell & 0x7F) for row, cell in pairs)
        pieces.append(piece.decode("cp932", "replace"))
        if found:
            last, double = found.end(), found[1].startswith(b"$")
    return "".join(pieces)


def _shifted(row: int, cell: int) -> bytes:
    """One double byte of JIS X 0208 as Shift_JIS writes it."""
    if min(row, cell) < 0x21:  # a line end inside, or damage
        return bytes((row, cell))
    lead = ((row - 0x21) >> 1) + 0x81
    trail = cell + (0x1F if cell < 0x60 else 0x20) if row & 1 else cell + 0x7E
    return bytes((lead + 0x40 if lead > 0x9F else lead, trail))


def html_text(page: str, check: Check) -> str:
    """HTML as lines: paragraphs, lists, rows of tables, "words (address)"; lines of quoted mail begin with "> ".
    Styles, scripts, hidden elements are left out; what one without end would hide is kept. check: raises when too long.
    """
    lines, at, may_hide, never = _Lines(), 0, True, set[str]()
    hidden: tuple[str, int, int] | None = None  # (tag, how many of it are open, where it began)
    while at < len(page) or hidden:
        check()
        start = min(page.find("<", at, at + _SLICE) % (len(page) + 1), at + _SLICE, len(page))
        if start == at + _SLICE and (cut := page.rfind("&", start - 10, start)) > at:
            start = cut  # not inside an entity
        if start > at and not hidden:
            lines.words(html.unescape(page[at:start]))
        at = start
        if at >= len(page):
            if hidden:  # never closed: what it hid is kept
                at, hidden, may_hide = hidden[2], None, False
            continue
        if page[at] != "<":
            continue
        tag = _TAG.match(page, at, at + _SLICE)
        if tag is None:
            at = _past_oddity(page, at, never, lines if not hidden else None)
            continue
        at, name, closing = tag.end(), tag[2].lower(), tag[1] == "/"
        if hidden:
            open_now = hidden[1] + (0 if name != hidden[0] else -1 if closing else 1)
            hidden = (hidden[0], open_now, hidden[2]) if open_now else None
        elif name in _RAW and not closing:
            found = None if name in never else re.compile(rf"</{name}", re.I).search(page, at)
            never |= set() if found else {name}
            at = found.start() if found else at
        elif closing:
            lines.close(name)
        else:
            attributes = {key.lower(): a or b or c for key, a, b, c in _ATTRIBUTE.findall(tag[3])}
            veiled = _HIDDEN.search(attributes.get("style", "")) or _HIDDEN_WORD.search(tag[3])
            if veiled and may_hide and name not in _VOID and name not in ("body", "html"):
                hidden = (name, 1, at)
            else:
                lines.open(name, attributes)
    return lines.text()


def _past_oddity(page: str, at: int, never: set[str], lines: _Lines | None) -> int:
    """Where to go on after a "<" that begins no tag: a comment, a declaration, a tag too long, or just the sign."""
    for begin, end in ("<!--", "-->"), ("<!", ">"), ("<?", ">"), ("</", ">"), ("<", ">"):
        if page.startswith(begin, at) and (begin != "<" or page[at + 1 : at + 2].isalpha()):
            stop = -1 if end in never else page.find(end, at)
            if stop >= 0 and (begin != "<" or stop - at > _SLICE or "<" not in page[at + 1 : stop]):
                return stop + len(end)
            if stop < 0:
                never.add(end)
    if lines:
        lines.words("<")
    return at + 1


class _Lines:
    """The lines of a page in the making."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._fresh, self._gap = True, False  # a line begins; a blank line is wanted before it
        self._cell, self._space, self._pre = False, False, 0  # a cell has ended; a blank is due; how many pre are open
        self._quotes: list[tuple[str, bool]] = []  # (tag, whether it or one around it quotes)
        self._links: list[tuple[str, int]] = []

    def words(self, text: str) -> None:
        """Running text; blanks count only inside pre."""
        if self._pre:
            for line in text.splitlines(keepends=True):
                self._put(line.rstrip("\r\n"))
                if line[-1] in "\r\n":
                    self.end()
            return
        text = _SPACES.sub(" ", text)
        self._space |= text.startswith(" ")
        if text != " " and text:
            self._put(text.strip(" "))
            self._space = text.endswith(" ")

    def end(self) -> None:
        """The line ends, even an empty one."""
        self._out.append("\n")
        self._fresh, self._space, self._cell = True, False, False

    def open(self, name: str, attributes: dict[str, str]) -> None:
        """A tag that opens something."""
        if name == "br":
            self.end()
        elif name in _BLOCK:
            self._block(name in _SPACED and "mso" not in attributes.get("class", "").lower())
        if name == "li":
            self._put("- ")
        elif name in ("td", "th") and not self._fresh:
            self._cell = True
        elif name == "img" and (words := attributes.get("alt", "").strip()):
            self.words(f" [{html.unescape(words)}] ")
        elif name == "a":
            self._links.append((html.unescape(attributes.get("href", "")).strip(), len(self._out)))
        elif name == "pre":
            self._pre += 1
        if name in ("blockquote", "div"):
            marked = name == "blockquote" or _QUOTING.search(
                f"{attributes.get('class', '')} {attributes.get('id', '')}"
            )
            self._quotes.append((name, bool(marked) or self._quoted()))

    def close(self, name: str) -> None:
        """A tag that closes something, whether it was open or not."""
        if name in _BLOCK:
            self._block(name in _SPACED)
        if name == "a" and self._links:
            address, since = self._links.pop()
            said = "".join(self._out[since:])
            if address.startswith(("http://", "https://", "mailto:")) and address.removeprefix("mailto:") not in said:
                self._put(f" ({address})" if said.strip() else address)
        elif name == "pre":
            self._pre = max(0, self._pre - 1)
        for back in range(len(self._quotes) - 1, max(len(self._quotes) - 50, 0) - 1, -1):
            if self._quotes[back][0] == name:
                del self._quotes[back:]  # with what was left open inside
                break

    def text(self) -> str:
        """All lines, never more than one blank between two."""
        return re.sub(r"\n(?:(?:> )?\n){2,}", "\n\n", re.sub(r"[ \t]+\n", "\n", "".join(self._out))).strip()

    def _quoted(self) -> bool:
        return bool(self._quotes) and self._quotes[-1][1]

    def _block(self, spaced: bool) -> None:
        if not self._fresh:
            self.end()
            self._gap = False
        self._gap |= spaced

    def _put(self, text: str) -> None:
        if self._fresh:
            if self._gap and self._out:
                self._out.append("\n")
            if self._quoted():
                self._out.append("> ")
        elif self._cell:
            self._out.append(" | ")
        elif self._space:
            self._out.append(" ")
        self._out.append(text)
        self._fresh = self._gap = self._cell = self._space = False
