"""The kiosk (自助机): whether a browser is one, how long it may stand idle, and the help on each of its pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from types import MappingProxyType

from aiohttp import web

from gateway.keys import ADDRESS

COOKIE = "kiosk"
PATH = "/kiosk"
IDLE = timedelta(minutes=2)  # after this nothing of the person before is left
WARNING = timedelta(seconds=30)  # so long before the end the person is asked
# What is in hand while somebody types, is asked, and the last page is on its way.
KEPT = IDLE + timedelta(seconds=10)

CALL = "需要帮忙，请举手或到服务台叫工作人员，不会的都可以请他们代填。"
HELP: Mapping[str, str] = MappingProxyType(
    {
        PATH: "请用手指点下面的大方块，选您要办的事。",
        "/file": "点“开始填写”，一页一页往下填，填错了可以点“上一步”。",
        "/file/who": "点选一项，再点最下面的“保存并继续”。",
        "/file/people": "这里列出已经填好的人，点“保存并继续”往下走。",
        "/file/person": "照身份证填写，填好一格点下一格。",
        "/file/region": "点省、市、县、乡，一级一级往下找；也可以直接输入地名。",
        "/file/scene": "写清楚在哪里、什么时候，记不清日子可以只写年份。",
        "/file/purpose": "点选一项，再点“保存并继续”。",
        "/file/story": "把事情从头说一遍，想到哪里写到哪里也可以。",
        "/file/requests": "一行写一个要求，例如“退还押金”。",
        "/file/accused": "知道是哪个单位或哪个人就写上，不知道可以不写。",
        "/file/wishes": "两个问题各点选一项。",
        "/file/evidence": "没有带材料也能提交；纸质材料请交给工作人员扫描。",
        "/file/check": "从上到下看一遍，没有错就点“确认提交”。",
        "/file/receipt": "请点“打印回执”，拿好纸条，再点“办完了”。",
        "/track": "照回执上的编号和查询码输入，横线可以不写。",
        "/track/case": "这里是办理进度，看完请点“办完了”。",
        "/track/supplement": "写下要补充的内容，再点“提交补充”。",
        "/contact": "这里有电话、地址和接待时间。",
        "/guide": "这里说明信访怎么办理。",
    }
)


@dataclass(frozen=True, slots=True)
class Kiosk:
    """What a template knows of the terminal: a sentence of help, how to call somebody, seconds."""

    help: str
    call: str
    idle: int
    warning: int
    stay: str


@dataclass(frozen=True, slots=True)
class Kiosks:
    """Which browsers are terminals. networks: from where; empty: every browser that was switched to it."""

    networks: Sequence[IPv4Network | IPv6Network]

    def allowed(self, request: web.Request) -> bool:
        """Whether a browser at this address may be a terminal."""
        if not self.networks:
            return True
        try:
            address = ip_address(request.get(ADDRESS) or request.remote or "")
        except ValueError:
            return False
        return any(address in network for network in self.networks)

    def of(self, request: web.Request) -> Kiosk | None:
        """The terminal this request comes from, or None for every other browser."""
        if request.cookies.get(COOKIE) != "1" or not self.allowed(request):
            return None
        return kiosk_at(request.path)


def kiosk_at(path: str) -> Kiosk:
    """What stands on the page of this path; a page without a sentence of its own has that of the folder above."""
    at = path.rstrip("/")
    while at and at not in HELP:
        at = at.rpartition("/")[0]
    stay = "/track/stay" if path.startswith("/track") else "/file/stay"
    seconds = int(IDLE.total_seconds()), int(WARNING.total_seconds())
    return Kiosk(HELP.get(at, HELP[PATH]), CALL, *seconds, stay)
