"""The sheet (二维码张贴页): one A4 page for each place, with a large QR code, as PDF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from config.office import Office
from gateway.sites import Site

_QUIET = 4  # modules around the code (ISO/IEC 18004)
_SIDE = 105 * mm
_NARROW = 170 * mm  # the longest line
_MIDDLE = A4[0] / 2
# Every reader of Chinese PDF knows this font by name; nothing is embedded, so no font's licence is touched.
_PLAIN_FONT = "STSong-Light"
_STEPS = (
    "一、用手机“扫一扫”对准上面的方块",
    "二、点“我要反映”，一步一步填写",
    "三、记下编号和查询码，随时查进度",
)


def sheets_pdf(sites: Sequence[Site], titles: Sequence[str], office: Office, url: str, font: Path | None) -> bytes:
    """The pages of these sites. titles: of the theme of each one, empty for none; url: what people see of this house;
    font: a TrueType file to embed, None to let the reader take its own. ValueError for a font that cannot be used."""
    name = _font(font)
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=True)
    canvas.setTitle(f"{office.name} 扫码反映")
    for site, title in zip(sites, titles, strict=True):
        _page(canvas, name, site, title, office, f"{url}/s/{site.code}")
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def _font(font: Path | None) -> str:
    try:
        pdfmetrics.registerFont(UnicodeCIDFont(_PLAIN_FONT) if font is None else TTFont("sheet", str(font)))
    except (TTFError, OSError) as problem:
        raise ValueError(f"{font}: 不能用的字体，需要 TrueType 文件 (not a usable TrueType file): {problem}") from None
    return _PLAIN_FONT if font is None else "sheet"


def _page(canvas: Canvas, font: str, site: Site, title: str, office: Office, url: str) -> None:
    def line(height: float, size: float, text: str) -> None:
        """Centred; what is too long is set smaller, never cut."""
        wide = pdfmetrics.stringWidth(text, font, size)
        canvas.setFont(font, size if wide <= _NARROW else size * _NARROW / wide)
        canvas.drawCentredString(_MIDDLE, height * mm, text)

    line(272, 20, office.name)
    line(252, 38, title or "有事请讲，扫码反映")
    line(236, 22, site.origin)
    _code(canvas, url, 122 * mm)
    line(112, 16, f"{url}")
    for place, words in enumerate(_STEPS):
        line(96 - 11 * place, 19, words)
    canvas.line(20 * mm, 62 * mm, A4[0] - 20 * mm, 62 * mm)
    line(50, 18, f"不会用手机？请打电话 {office.phone}，或请工作人员帮您填写")
    line(40, 15, f"接待时间：{office.hours}")
    line(31, 15, f"地址：{office.address}")
    line(15, 11, f"第 {site.number} 号 · {site.issued} · {site.code}")


def _code(canvas: Canvas, url: str, bottom: float) -> None:
    """The code as one rectangle a row of dark modules: sharp at every size."""
    rows = [list(row) for row in segno.make(url, error="q", micro=False).matrix_iter(border=_QUIET)]
    side = _SIDE / len(rows)
    left = _MIDDLE - _SIDE / 2
    for place, row in enumerate(rows):
        start = 0
        while start < len(row):
            end = start
            while end < len(row) and row[end]:
                end += 1
            if end > start:
                height = bottom + _SIDE - (place + 1) * side
                canvas.rect(left + start * side, height, (end - start) * side, side, stroke=0, fill=1)
            start = max(end, start + 1)
