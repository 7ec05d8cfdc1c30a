"""Words of the conversation (微信用语): what is a command at which step, and what is said back, short and plain.

你好 -> the menu; 1 -> tell what happened; 完成 -> where; who; check; 提交. A reply has at most 2048 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from petition.identity import tidy

REPLY_MAX = 2048  # bytes of a text reply (official account platform, 被动回复用户消息)
_EDGES = " 。.!,、;:~\"'“”‘’「」【】[]()<>《》"
_LONGEST = 12  # signs of a command


class Word(StrEnum):
    """A command; its value is the stable reason in the ledger, where it is counted and opens no case."""

    MENU = "menu"
    FILE = "file"
    QUERY = "query"
    WEB = "web"
    PERSON = "person"
    DONE = "done"
    SKIP = "skip"
    ANONYMOUS = "anonymous"
    SUBMIT = "submit"
    CANCEL = "cancel"
    BACK = "back"
    THANKS = "thanks"


# Understood at every step.
_ALWAYS: Mapping[str, Word] = MappingProxyType(
    {
        **dict.fromkeys(("帮助", "菜单", "主菜单", "MENU", "HELP", "?"), Word.MENU),
        **dict.fromkeys(("谢谢", "谢谢您", "谢谢你", "多谢", "感谢", "好的", "收到", "知道了", "再见"), Word.THANKS),
        **dict.fromkeys(("查询进度", "查进度", "QUERY"), Word.QUERY),
        **dict.fromkeys(("大字版", "大字版网页", "WEB"), Word.WEB),
        **dict.fromkeys(("人工", "转人工", "人工服务", "找人工", "PERSON"), Word.PERSON),
    }
)
# Only while nothing is being told: in a story these may be the story.
_IDLE: Mapping[str, Word] = MappingProxyType(
    {
        **dict.fromkeys(("你好", "您好", "在吗", "有人吗", "HELLO", "HI", "0", "开始"), Word.MENU),
        **dict.fromkeys(("1", "反映问题", "我要反映", "我要反映问题", "我要投诉", "FILE"), Word.FILE),
        **dict.fromkeys(("2", "查询", "进度"), Word.QUERY),
        "3": Word.WEB,
        **dict.fromkeys(("4", "客服"), Word.PERSON),
        **dict.fromkeys(("取消", "退出", "返回"), Word.MENU),
    }
)
_GOING: Mapping[str, Word] = MappingProxyType(
    {
        **dict.fromkeys(("取消", "退出", "不反映了"), Word.CANCEL),
        **dict.fromkeys(("返回", "上一步"), Word.BACK),
    }
)
_STEPS: Mapping[str, Mapping[str, Word]] = MappingProxyType(
    {
        "story": MappingProxyType(
            dict.fromkeys(("完成", "说完了", "完了", "讲完了", "写完了", "发完了", "好了", "结束", "下一步"), Word.DONE)
        ),
        "where": MappingProxyType(dict.fromkeys(("跳过", "不知道", "不清楚", "没有", "下一步"), Word.SKIP)),
        "who": MappingProxyType(
            {
                **dict.fromkeys(("匿名", "不留", "不留姓名", "不想说"), Word.ANONYMOUS),
                **dict.fromkeys(("跳过", "没有", "下一步"), Word.SKIP),
            }
        ),
        "check": MappingProxyType(
            dict.fromkeys(("提交", "确认", "确认提交", "是", "是的", "对", "没问题"), Word.SUBMIT)
        ),
    }
)


def word_of(text: str, step: str) -> Word | None:
    """The command a text is at this step, in half or full width and any case; None for what is told."""
    if len(text) > _LONGEST * 2:
        return None
    plain = tidy(text).upper()
    plain = plain if plain == "?" else plain.strip(_EDGES)
    if len(plain) > _LONGEST:
        return None
    own: Mapping[str, Word] = {**_GOING, **_STEPS[step]} if step in _STEPS else _IDLE
    return own.get(plain) or _ALWAYS.get(plain)


MENU = (
    "您好，这里是{office}。请发送一个数字：\n"
    "1　反映问题\n2　查询进度\n3　大字版网页\n4　请工作人员联系我\n"
    "也可以直接把事情发给我们，文字、语音、照片、位置都行，发来就会登记。"
)
GOING = (
    "您正在反映一件事（编号{case_no}）。接着发内容就行；说完了，请发送“完成”；回到上一步，请发送“返回”；不反映了，请发送“取消”。\n"
    "查进度，请发送“查询进度”；要工作人员联系您，请发送“人工”。"
)
GO_ON = "还有就接着发；说完了，请发送“完成”。"
WELCOME = "不客气。看全部服务，请发送“帮助”。"
STORY = (
    "请说说是什么事：什么时候、什么经过、您有什么要求。文字、语音、照片、位置都可以，可以分几次发。\n"
    "说完了，请发送“完成”。"
)
OPENED = (
    "已登记。\n编号：{case_no}\n查询码：{code}\n请保存好这两样，凭它们查进度；查询码不要告诉别人。\n\n"
    "您可以继续发文字、语音、照片或位置，都会记到这件事里。说完了，请发送“完成”。"
)
MORE = "收到，已记下（第{count}条）。还有就接着发；说完了，请发送“完成”。"
NOTHING_YET = "还没有收到您要反映的内容。请先把事情发来，再发送“完成”。"
WHERE = (
    "事情发生在什么地方？请写明市、县（区）和具体地点，也可以点“+”发送位置。\n"
    "不清楚，请发送“跳过”；还有话说，请发送“返回”。"
)
WHO = (
    "怎么联系您？请发送姓名和手机号，例如：张示例 15400000000。\n"
    "不想留，请发送“匿名”：我们照样登记，但无法给您寄送书面答复，有关单位也可能因为联系不上您而难以核实。\n"
    "姓名和手机号只用于办理这件事，隐私说明见大字版网页。"
)
WHO_MOBILE = "记下了姓名。还差手机号，请发送11位手机号；不想留，请发送“跳过”。"
WHO_NAME = "记下了手机号。还差姓名，请发送姓名；不想留，请发送“跳过”。"
WHO_AGAIN = "没有看到姓名或手机号，您这条内容已作为补充记下。请发送姓名和手机号；不想留，请发送“匿名”。"
CHECK = (
    "请核对：\n编号：{case_no}\n内容：{count}条\n地点：{where}\n联系人：{who}\n"
    "没问题，请发送“提交”；要改，请发送“返回”；不反映了，请发送“取消”。"
)
CHECK_MORE = "收到，已作为补充记下。没问题，请发送“提交”；要改，请发送“返回”。"
SUBMITTED = (
    "提交成功，马上开始甄别办理。\n编号：{case_no}\n"
    "查进度，请发送“CX 编号 查询码”。想起别的事，半小时内直接发来就会加到这件事里；反映另一件事，请先发送“1”。"
)
CANCELLED = "好的，不再往下填。前面发来的内容已经登记（编号{case_no}），您不再反映的意思也已记下，由工作人员核实。"
ADDED = "收到，已加到编号{case_no}的事项里。反映另一件事，请先发送“1”。"
QUERY = "请发送编号和查询码，中间空一格，例如：\n620000X2026112200001K 7M2K-9QXA-4TBD\n不查了，请发送“帮助”。"
WEB = "大字版网页：{url}\n打开后点右上角“大字”，字会变大。"
PERSON = "请发送您的手机号，工作人员上班后会给您回电话。急事请拨打12345；有人身危险请拨打110。"
PERSON_AGAIN = "没有看清手机号，请发送11位手机号，例如：15400000000。不用了，请发送“帮助”。"
CALL_BACK = "已登记回电请求。\n编号：{case_no}\n查询码：{code}\n工作人员会按您留的手机号联系您。"
KNOWN = "您的这条消息此前已经收到，编号{case_no}，不必重发。"
KNOWN_ONLY = "您的这条消息此前已经收到，不必重发。"
SLOW = "正在登记，请稍候，办好后告诉您编号。一分钟后没有收到，请发送“帮助”看结果；还是没有，请把这条再发一次。"
OWED = "（您前面一条消息的结果：）\n{words}\n\n"
EMPTY = "没有收到内容，请再发一次。看全部服务，请发送“帮助”。"

WISH = "请工作人员回电联系。"
WITHDRAWN = "（来信人在微信中发送“取消”，表示不再继续反映，请核实。）"
EXPIRED = "（{kind}没有取到，平台只保存三天，媒体编号{media_id}。需要时请来信人重新发送。）"

_MOBILE_RUN = re.compile(r"(?<![0-9])(?:\+?86|0086)?[ -]?1[3-9][0-9](?:[ -]?[0-9]){8}(?![0-9])")
_LABELS = re.compile(
    r"(?:我的|本人)?(?:姓名|名字|手机号码|手机号|手机|联系电话|电话号码|电话|联系方式|号码)(?:是|为)?[：:]?|我叫|我是|本人|我姓名"
)
# Alone it is a name only if it is short and does not begin like a sentence: “不知道” and “他们会报复” are none.
_NAME = re.compile(r"[\u3400-\u9fff·]{2,20}|[A-Za-z][A-Za-z .'·-]{1,38}")
_ALONE = re.compile(r"(?![不没别怎什你您我他她它请这那为还就是有])(?:[\u3400-\u9fff]{2,4}|[A-Za-z][A-Za-z .'·-]{1,38})")
_FILLING = " \t\r\n,，、;；:：。.!！/|+-"


def contact_of(text: str) -> tuple[str, str]:
    """(name, mobile as it was written) in an answer to 怎么联系您; empty what is not there, both for a story."""
    if len(text) > 80:
        return "", ""
    plain = tidy(text)
    found = _MOBILE_RUN.search(plain)
    rest = plain if found is None else plain[: found.start()] + " " + plain[found.end() :]
    name = _LABELS.sub(" ", rest).strip(_FILLING)
    sure = found is not None or _LABELS.search(rest) is not None
    shape = _NAME if sure or "·" in name else _ALONE
    return (name if shape.fullmatch(name) else ""), found[0] if found else ""
