"""QR sheets: printed, read back from the picture, kept for years, forged in vain, withdrawn, counted without people."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from click.testing import CliRunner, Result

from config.reference import load_reference
from gateway.demo.browser import Browser, Page
from gateway.line import cli
from gateway.sheet import sheets_pdf
from gateway.sites import Place, Site, Sites
from petition.errors import Invalid, NotFound
from petition.numbering import check_character
from petition.petition import Form
from store import petitions
from tests.fakes.filing import PERSON, STORY
from tests.fakes.themes import write_theme
from tests.houses import Rig, running_house

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

DAY = date(2026, 11, 22)
HALL = Place(origin="白银路街道办事处自助区", region="620102")


def gateway(data: Path, *arguments: str) -> Result:
    environment = {"GATEWAY_DATA": str(data), "GATEWAY_MIN_FREE": "0", "GATEWAY_PUBLIC_URL": "https://xf.example"}
    return CliRunner(env={**os.environ, **environment}).invoke(cli, arguments)


def codes_in(pdf: bytes, scale: float = 1.5) -> list[list[str]]:
    """What a camera reads from each page."""
    document = pypdfium2.PdfDocument(pdf)
    found = []
    for page in document:
        picture = page.render(scale=scale, grayscale=True).to_pil()
        found.append([code.text for code in zxingcpp.read_barcodes(picture)])
    document.close()
    return found


def words_in(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    words = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return words


class TestSheet:
    def test_one_place_one_page_one_code(self, tmp_path: Path) -> None:
        target = tmp_path / "sheet.pdf"
        done = gateway(tmp_path, "site-qr", "--origin", HALL.origin, "--region", "620102", "-o", str(target))
        assert done.exit_code == 0, done.output
        (site,) = Sites(tmp_path).all()
        assert done.output == f"{site.code}  https://xf.example/s/{site.code}  {HALL.origin}\n"
        assert codes_in(target.read_bytes()) == [[f"https://xf.example/s/{site.code}"]]
        (words,) = words_in(target.read_bytes())
        for expected in (HALL.origin, "示例省信访局", "0931-0000000", f"第 {site.number} 号", site.issued, site.code):
            assert expected in words

    def test_many_places_many_pages_and_each_keeps_its_code(self, tmp_path: Path) -> None:
        places, target = tmp_path / "places.csv", tmp_path / "sheets.pdf"
        places.write_text("origin,region,theme\n一号点,620102,\n二号点,,epidemic\n", encoding="utf-8-sig")
        assert gateway(tmp_path, "site-qr", "--places", str(places), "-o", str(target)).exit_code == 0
        first = codes_in(target.read_bytes())
        assert [len(page) for page in first] == [1, 1]
        assert "疫情诉求建议" in words_in(target.read_bytes())[1]
        assert gateway(tmp_path, "site-qr", "--places", str(places), "-o", str(target)).exit_code == 0
        assert codes_in(target.read_bytes()) == first
        assert [site.number for site in Sites(tmp_path).all()] == [1, 2]

    def test_it_is_read_from_a_bad_print(self) -> None:
        site = Site(code="ABCDEFG", origin="点" * 40, region="", theme="", number=1, issued="2026-11-22")
        pdf = sheets_pdf([site], [""], load_reference().office, "https://xinfang.example.gov.example/xf", None)
        assert codes_in(pdf, scale=0.5) == [["https://xinfang.example.gov.example/xf/s/ABCDEFG"]]

    @pytest.mark.parametrize(
        "arguments",
        [
            (),
            ("--origin", "甲", "--region", "999999"),
            ("--origin", "甲", "--theme", "nobody"),
            ("--origin", "字" * 41),
            ("--origin", "甲\u202e乙"),
        ],
    )
    def test_a_wrong_place_is_said_and_makes_no_sheet(self, tmp_path: Path, arguments: tuple[str, ...]) -> None:
        target = tmp_path / "sheet.pdf"
        done = gateway(tmp_path, "site-qr", *arguments, "-o", str(target))
        assert isinstance(done.exception, Invalid) or done.exit_code == 2
        assert not target.exists()
        assert Sites(tmp_path).all() == ()


class TestRegister:
    def test_a_code_is_found_as_it_may_be_typed(self, tmp_path: Path) -> None:
        sites = Sites(tmp_path)
        (site,) = sites.issue([HALL], DAY)
        for typed in (site.code, site.code.lower(), f"{site.code[:3]}-{site.code[3:]}"):
            assert sites.find(typed) == site

    def test_slips_and_forgeries_find_nothing(self, tmp_path: Path) -> None:
        sites = Sites(tmp_path)
        (site,) = sites.issue([HALL], DAY)
        body = "WWWWWW" if site.code[:6] != "WWWWWW" else "YYYYYY"
        slip = ("A" if site.code[0] != "A" else "B") + site.code[1:]
        for wrong in ("", slip, body + check_character(body), "../../x", "１" * 7, site.code + "A", "O" * 7):
            assert sites.find(wrong) is None

    def test_the_register_outlives_the_process_and_is_seen_at_once(self, tmp_path: Path) -> None:
        running, command = Sites(tmp_path), Sites(tmp_path)
        (site,) = command.issue([HALL], DAY)
        assert running.find(site.code) == site
        command.withdraw(site.code, DAY)
        assert running.find(site.code) is None
        (fresh,) = command.issue([HALL], DAY)
        assert fresh.code != site.code
        assert fresh.number == 2
        with pytest.raises(NotFound):
            command.withdraw(site.code, DAY)

    def test_a_broken_register_stops_and_names_the_line(self, tmp_path: Path) -> None:
        sites = Sites(tmp_path)
        sites.issue([HALL], DAY)
        path = tmp_path / "sites.csv"
        path.write_text(path.read_text(encoding="utf-8") + "x,y\n", encoding="utf-8")
        with pytest.raises(ValueError, match=r"sites\.csv line 3"):
            Sites(tmp_path).all()


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("sites")
    write_theme(folder / "themes")
    with running_house(folder) as opened:
        yield opened


def file_from(browser: Browser, start: Page) -> str:
    """Fill in the form; the case number."""
    page = browser.submit(start.form("/file"))
    page = browser.submit(page.form(), {"manner": "self"})
    page = browser.submit(page.form(), PERSON)
    assert 'name="region" value="620102"' in page.text, "the picker begins where the sheet hangs"
    page = browser.submit(page.form("/file/region"), button=("region", "620102"))
    wishes = {"is_public": "no", "confidential": "no"}
    for fields in ({}, {"purpose": "APPEAL"}, STORY, {"requests": "请修好"}, {}, wishes):
        page = browser.submit(page.form(), fields)
    page = browser.submit(page.form("/file/evidence"), button=("do", "next"))
    page = browser.submit(page.form())
    found = re.search(r"620000-[A-Z]-[0-9]{8}-[0-9]{5}-[0-9A-Z]", page.text)
    assert found, page.text
    return found[0].replace("-", "")


class TestScan:
    def test_the_place_is_said_and_kept_with_the_petition(self, rig: Rig) -> None:
        (site,) = Sites(rig.house.settings.data).issue([HALL], DAY)
        with Browser(rig.url) as browser:
            home = browser.open(f"/s/{site.code}")
            assert (home.path, HALL.origin in home.text) == ("/", True)
            start = browser.open("/file")
            assert HALL.origin in start.text
            number = file_from(browser, start)
        case = rig.house.store.read_now(lambda tx: petitions.get(tx, number))
        assert case.form is Form.KIOSK
        assert case.petition.sub_source == f"origin:{site.code} {HALL.origin}"

    def test_a_sheet_of_a_theme_leads_to_it(self, rig: Rig) -> None:
        (site,) = Sites(rig.house.settings.data).issue([Place(origin="安置点", region="620102", theme="flood")], DAY)
        with Browser(rig.url) as browser:
            start = browser.open(f"/s/{site.code}")
            assert "只用于反映洪水、内涝造成的困难。" in start.text
            assert "安置点" in start.text
            number = file_from(browser, start)
        record = rig.house.store.read_now(lambda tx: petitions.get(tx, number)).petition
        assert record.sub_source == f"theme:flood origin:{site.code} 安置点"

    @pytest.mark.parametrize("code", ["ABCDEFG", "x", "%2e%2e", "%F0%9F%98%80", "A" * 500])
    def test_an_unknown_code_is_the_normal_home(self, rig: Rig, code: str) -> None:
        with Browser(rig.url) as browser:
            home = browser.open(f"/s/{code}")
            assert (home.status, home.path) == (200, "/")
            assert "扫码" not in home.text

    def test_a_withdrawn_sheet_still_leads_to_the_form(self, rig: Rig) -> None:
        sites = Sites(rig.house.settings.data)
        (site,) = sites.issue([Place(origin="撤掉的点")], DAY)
        with Browser(rig.url) as browser:
            assert "撤掉的点" in browser.open(f"/s/{site.code}").text
            sites.withdraw(site.code, DAY)
            assert "撤掉的点" not in browser.open("/").text
            assert browser.open(f"/s/{site.code}").path == "/"

    def test_the_list_counts_places_and_never_a_few_people(self, rig: Rig) -> None:
        data = rig.house.settings.data
        (site,) = Sites(data).issue([HALL], DAY)
        listed = gateway(data, "sites", "list")
        assert listed.exit_code == 0, listed.output
        (line,) = [line for line in listed.output.splitlines() if site.code in line]
        assert line.endswith(("不足5", "  0"))
        assert "张示例" not in listed.output
        assert gateway(data, "sites", "withdraw", "nothing").exit_code != 0
