"""Kinds of mail and what the trusted host found out about the sender."""

from __future__ import annotations

import pytest

from channels.mail_kind import MailKind, authentication_of, kind_of
from channels.mail_parts import Budget, parse

OWN = frozenset({"petition@xf.example"})
BOUNCE, AUTOMATIC, LIST = MailKind.BOUNCE, MailKind.AUTOMATIC, MailKind.LIST
ORDINARY, LOOP = MailKind.ORDINARY, MailKind.LOOP
DSN = "Content-Type: multipart/report; boundary=b; report-type=delivery-status"

# label, header lines, sender, subject, kind
KINDS: list[tuple[str, str, str, str, MailKind]] = [
    ("a person", "Subject: x", "a@mail.example", "x", ORDINARY),
    ("a delivery report", DSN, "x@mail.example", "", BOUNCE),
    ("a delivery report says Auto-Submitted too", f"{DSN}\nAuto-Submitted: auto-replied", "x@m.example", "", BOUNCE),
    ("failed recipients", "X-Failed-Recipients: a@b.example", "a@mail.example", "", BOUNCE),
    ("a daemon", "Subject: x", "MAILER-DAEMON@mail.example", "", BOUNCE),
    ("postmaster with a null path", "Return-Path: <>", "postmaster@mail.example", "", BOUNCE),
    ("postmaster returns a letter", "Subject: x", "postmaster@qq.example", "系统退信", BOUNCE),
    ("a postmaster is a person too", "Return-Path: <postmaster@m.example>", "postmaster@m.example", "咨询", ORDINARY),
    ("a null path alone", "Return-Path: <>", "a@mail.example", "", AUTOMATIC),
    ("auto-replied with a comment", "Auto-Submitted: (x) auto-replied; owner=x", "a@mail.example", "", AUTOMATIC),
    ("Auto-Submitted: no", "Auto-Submitted: No", "a@mail.example", "", ORDINARY),
    ("Outlook on a person's mail", "X-Auto-Response-Suppress: All", "a@mail.example", "x", ORDINARY),
    ("out of office with it", "X-Auto-Response-Suppress: All", "a@mail.example", "自动回复: x", AUTOMATIC),
    ("the subject alone", "Subject: x", "a@mail.example", "自动回复没有收到", ORDINARY),
    ("X-Autoreply", "X-Autoreply: yes", "a@mail.example", "", AUTOMATIC),
    ("precedence auto_reply", "Precedence: auto_reply", "a@mail.example", "", AUTOMATIC),
    ("precedence bulk", "Precedence: bulk", "a@mail.example", "", AUTOMATIC),
    ("bulk of a list", "Precedence: bulk\nList-Id: <x.example>", "a@mail.example", "", LIST),
    ("a newsletter", "List-Unsubscribe: <mailto:u@x.example>", "a@mail.example", "", LIST),
    ("precedence list", "Precedence: list", "a@mail.example", "", LIST),
    ("our address", "Subject: x", "Petition@XF.example", "", LOOP),
    ("our marker", "X-Petition-Gateway: 1\nAuto-Submitted: auto-replied", "a@mail.example", "", LOOP),
    ("a read receipt", DSN.replace("delivery-status", "disposition-notification"), "a@mail.example", "", AUTOMATIC),
]


@pytest.mark.parametrize(
    ("lines", "sender", "subject", "kind"), [case[1:] for case in KINDS], ids=[c[0] for c in KINDS]
)
def test_the_kind(lines: str, sender: str, subject: str, kind: MailKind) -> None:
    root = parse(f"{lines}\n\ntext".encode(), Budget(2))
    assert kind_of(root, sender, subject, OWN) is kind


# label, header lines, results
RESULTS: list[tuple[str, str, tuple[str, ...]]] = [
    ("none", "Subject: x", ()),
    (
        "three methods",
        "Authentication-Results: MX.example 1; spf=pass (dkim=pass) smtp.mailfrom=a.example;\n dkim=fail; dmarc=none",
        ("spf=pass", "dkim=fail", "dmarc=none"),
    ),
    ("a stranger's", "Authentication-Results: evil.example; spf=pass", ()),
    (
        "only the topmost of ours",
        "Authentication-Results: mx.example; spf=fail\nAuthentication-Results: mx.example; spf=pass; dkim=pass",
        ("spf=fail",),
    ),
    ("Received-SPF of ours", "Received-SPF: Pass (x) receiver=mx.example; client-ip=192.0.2.1", ("spf=pass",)),
    ("Received-SPF of a stranger", "Received-SPF: pass receiver=evil.example;", ()),
    ("a result inside a comment", "Authentication-Results: mx.example; (spf=pass; ) dkim=none", ("dkim=none",)),
]


@pytest.mark.parametrize(("lines", "results"), [case[1:] for case in RESULTS], ids=[case[0] for case in RESULTS])
def test_only_our_host_is_believed(lines: str, results: tuple[str, ...]) -> None:
    root = parse(f"{lines}\n\ntext".encode(), Budget(2))
    assert authentication_of(root.headers, frozenset({"mx.example"})) == results
