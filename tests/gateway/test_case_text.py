"""The original on the desk: a mail is shown as a person reads it, not as base64."""

from __future__ import annotations

from email.message import EmailMessage

from gateway.pages.case_text import raw_text


def test_a_mail_is_shown_with_its_head_words_and_files() -> None:
    message = EmailMessage()
    message["From"] = "张示例 <zhang@mail.example>"
    message["Subject"] = "反映路灯"
    message.set_content("路灯不亮。", cte="base64")
    message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="照片.pdf")
    shown = raw_text("message/rfc822", message.as_bytes())
    wanted = ("张示例", "zhang@mail.example", "反映路灯", "路灯不亮。", "照片.pdf")
    assert [word for word in wanted if word not in shown] == []
    assert "base64" not in shown


def test_a_mail_that_cannot_be_read_is_shown_as_it_came() -> None:
    bomb = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(5000))
    assert raw_text("message/rfc822", bomb).strip()
