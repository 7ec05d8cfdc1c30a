"""The origin of a petition: what stands in sub_source comes back, and other texts stay words."""

from __future__ import annotations

import pytest

from petition.origin import NOWHERE, Origin, origin_of

WHOLE = [
    Origin(),
    Origin(words="12345"),
    Origin(theme="epidemic"),
    Origin(site="7K2M9QX"),
    Origin(site="7K2M9QX", words="白银路街道办事处 自助区"),
    Origin(theme="epidemic", site="7K2M9QX", words="白银路街道办事处自助区"),
]


@pytest.mark.parametrize("origin", WHOLE, ids=str)
def test_an_origin_comes_back_from_its_text(origin: Origin) -> None:
    assert origin_of(str(origin)) == origin


@pytest.mark.parametrize("text", ["演示", "supplement:620000W2026112000001K", "疫情专线 theme:epidemic", "theme: x"])
def test_other_texts_are_words(text: str) -> None:
    assert origin_of(text) == Origin(words=text)


def test_a_mark_counts_once() -> None:
    assert origin_of("theme:a theme:b") == Origin(theme="a", words="theme:b")
    assert origin_of("") == NOWHERE
