"""The closing line over several test runs: counts added up, and no green over a red."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.closing import closing, last_line

PASSED = "===== 10 passed in 1.20s ====="
SKIPPED = "== 5 passed, 1 skipped, 3 deselected in 61.00s (0:01:01) =="
FAILED = "=== 1 failed, 2 passed, 1 error in 3.00s ==="
NOTHING = "=== 7 deselected in 0.10s ==="

# label, lines, whether a run or lint failed, words, exit code
CASES = [
    ("all good", [PASSED, SKIPPED], False, "15 passed, 1 skipped in 62.00s", 0),
    ("one red", [PASSED, FAILED], True, "1 failed, 12 passed, 1 errors in 62.00s", 1),
    ("red though the run said 0", [FAILED], False, "1 failed, 2 passed, 1 errors in 62.00s", 1),
    ("lint failed", [PASSED], True, "10 passed, lint or a run itself failed in 62.00s", 1),
    ("a run without a word", [PASSED, ""], True, "10 passed, lint or a run itself failed in 62.00s", 1),
    ("nothing was run", [NOTHING], False, "no tests ran in 62.00s", 1),
]


@pytest.mark.parametrize(("label", "lines", "failed", "words", "code"), CASES, ids=[case[0] for case in CASES])
def test_the_closing_line(label: str, lines: list[str], failed: bool, words: str, code: int) -> None:
    line, exit_code = closing(lines, 62, failed)
    assert line.strip("= ") == words
    assert exit_code == code


@pytest.mark.parametrize(
    ("text", "line"),
    [(f"dots\n{PASSED}\n", PASSED), (f"{PASSED}\n{FAILED}\nafter\n", FAILED), ("killed", ""), ("== passed ==", "")],
)
def test_pytests_own_line_is_found(text: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "output").write_text(text)
    assert last_line(tmp_path / "output") == line
