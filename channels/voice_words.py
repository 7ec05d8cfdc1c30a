"""Words of the telephone (电话用语): what a caller hears, plain and short, and how numbers are read aloud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from petition.identity import tidy

SHORTEST_STORY = 6  # signs: whoever says more than a command at the menu has begun to tell

_CHOICES = "反映问题请按1，查询进度请按2，找工作人员请按3，请我们给您回电请按4，再听一遍请按0。"
MENU_SPOKEN = "您也可以直接说出要反映的事情。"
AGAIN = f"没有听清您的选择。{_CHOICES}"
ASK_AGAIN = "请再试一次。"
MORE = f"您还可以继续：{_CHOICES}办完了请直接挂机。"
BUSY = "现在没有空闲的工作人员。请我们给您回电请按4，留言反映问题请按1。"
STORY = "请说明什么时间、什么地点、发生了什么事，也请说出您的姓名。说完请停一下。"
DEMAND = "请再说一下，您希望怎样解决。说完请停一下。"
RECORD = (
    "请在嘀声后说明：什么时间、什么地点、发生了什么事，您希望怎样解决。也请说出您的姓名。"
    "说完请按井号键，也可以直接挂机，您说的话都会登记。"
)
RECORD_ANYWAY = f"没有收到您的选择，请您直接说。{RECORD}"
NOT_HEARD = f"没有听到声音。{RECORD}"
NUMBER = (
    "请输入信访编号，按井号键结束。编号里的数字照按，字母请按它所在的键："
    "A B C按2，D E F按3，G H I按4，J K L按5，M N O按6，P Q R S按7，T U V按8，W X Y Z按9。每个字母只按一次。"
)
CODE = "请输入十二位查询码，按法相同，不按横线，按井号键结束。"
FAILED = "没有查到，请核对编号和查询码。"
CALL_BACK = "我们会按您现在的来电号码回电。要换一个号码，请输入后按井号键；不换，请直接按井号键。"
CALL_BACK_TO = "请输入回电的号码，手机或者带区号的座机，按井号键结束。"
CALL_BACK_NOTED = "您的回电请求已经记下，工作人员会尽快给您回电。"
WISH = "您可以在嘀声后简单说一下是什么事，也可以直接挂机。"
PUT_THROUGH = "正在为您转接工作人员，通话会录音，请稍候。"
ADDED = "您补充的内容已经加到刚才登记的事项里。"
TEXTED = "编号和查询码还会用短信发到您的手机。"
THANKS = "谢谢您的来电，再见。"
KEPT = "您说的话已经收到，系统正忙，稍后完成登记，工作人员会与您联系。谢谢您的来电，再见。"
UNREACHABLE = "系统现在忙，没有登记成功，请稍后再打来。"

# The pinyin of a place begins with the letter; none begins with U or V.
_PLACES: Mapping[str, str] = MappingProxyType(
    {
        **{"A": "安徽", "B": "北京", "C": "重庆", "D": "大连", "E": "鄂州", "F": "福建", "G": "广东", "H": "湖南"},
        **{"J": "江苏", "K": "昆明", "L": "辽宁", "M": "绵阳", "N": "南京", "P": "平凉", "Q": "青海", "R": "日照"},
        **{"S": "上海", "T": "天津", "W": "武汉", "X": "西安", "Y": "云南", "Z": "浙江"},
    }
)
_SHAPES: Mapping[str, str] = MappingProxyType({"U": "U盘的U", "V": "胜利手势的V"})
_DIGITS: Mapping[str, str] = MappingProxyType(dict(zip("0123456789", "零幺二三四五六七八九", strict=True)))
_SPOKEN_CHOICES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("1", "一", "反映", "反映问题", "投诉", "留言"), "1"),
        **dict.fromkeys(("2", "二", "查询", "查询进度", "查进度", "查询编号"), "2"),
        **dict.fromkeys(("3", "三", "人工", "转人工", "人工服务", "工作人员", "找工作人员", "找人"), "3"),
        **dict.fromkeys(("4", "四", "回电", "回电话", "请回电", "给我回电", "给我回电话"), "4"),
        **dict.fromkeys(("0", "零", "再听一遍", "重听"), "0"),
    }
)
_EDGES = re.compile(r"[\s，。！？,.!?、]+")
_POLITE = re.compile(r"^(?:我要|我想|请|帮我)+|(?:吧|啊|呢|谢谢)+$")


def greeting(office: str, *, speech: bool) -> str:
    """The first thing a caller hears: who answers, that it is recorded and what for, and the choices."""
    return (
        f"您好，这里是{office}。为了登记和核对您反映的事情，本次通话会录音，您的个人信息只用于办理信访，依法保密。"
        f"{_CHOICES}{MENU_SPOKEN if speech else ''}"
    )


def registered(case_no: str, code: str, *, texted: bool) -> str:
    """The acknowledgement: number and code twice, slowly."""
    both = f"信访编号：{spoken(case_no)}查询码：{spoken(code)}"
    return f"您反映的事情已经登记，请准备纸笔。{both}再说一遍。{both}{TEXTED if texted else ''}"


def status(words: str) -> str:
    """Where a case stands."""
    return f"您查询的事项：{words}"


def spoken(text: str) -> str:
    """A number or code for the ear: digits one by one with 幺 for 1, a letter by a place it begins, pauses between."""
    return "。".join("，".join(map(_sign, group)) for group in _groups(text)) + "。"


def signs_of(heard: str) -> str:
    """What `spoken` was made of, but for hyphens: what a listener writes down."""
    digits = {reading: digit for digit, reading in _DIGITS.items()}
    pieces = [piece for piece in re.split("[，。]", heard) if piece]
    return "".join(digits.get(piece, piece[-1]) for piece in pieces)


def choice(said: str) -> str:
    """The key that a short answer at the menu means, or empty."""
    plain = _EDGES.sub("", tidy(said))
    return _SPOKEN_CHOICES.get(plain) or _SPOKEN_CHOICES.get(_POLITE.sub("", plain), "")


def _groups(text: str) -> list[str]:
    """What is read in one breath: at most four signs, a letter ends a breath of digits."""
    return re.findall(r"[0-9]{1,4}|[A-Z]", text) if len(text.replace("-", "")) > 12 else text.split("-")


def _sign(sign: str) -> str:
    if sign in _PLACES:
        return f"{_PLACES[sign]}的{sign}"
    return _SHAPES.get(sign) or _DIGITS.get(sign, sign)
