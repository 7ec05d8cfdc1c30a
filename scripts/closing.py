"""The closing line of several pytest runs, in pytest's own words, with their common exit code."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

_COUNT = re.compile(r"([0-9]+) ([a-z]+)")
_CLOSING = re.compile(r"=+ .* in [0-9.]+s.* =+")
_ORDER = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "warnings", "errors")
_PLURAL = {"error": "errors", "warning": "warnings"}


def closing(lines: list[str], seconds: int, failed: bool) -> tuple[str, int]:
    """The line and the exit code: not 0 if a run failed, said so, or nothing was run at all."""
    counts: Counter[str] = Counter()
    for line in lines:
        for number, word in _COUNT.findall(line.rpartition(" in ")[0]):
            counts[_PLURAL.get(word, word)] += int(number)
    del counts["deselected"]  # what one run leaves out the other one takes
    words = ", ".join(f"{counts[word]} {word}" for word in _ORDER if counts[word]) or "no tests ran"
    bad = failed or bool(counts["failed"] or counts["errors"]) or not counts["passed"]
    if failed and not (counts["failed"] or counts["errors"]):
        words += ", lint or a run itself failed"
    return f" {words} in {seconds:.2f}s ".center(80, "="), int(bad)


def last_line(output: Path) -> str:
    """pytest's own closing line in its output, "" when it came to none."""
    lines = [line for line in output.read_text(errors="replace").splitlines() if _CLOSING.fullmatch(line)]
    return lines[-1] if lines else ""


if __name__ == "__main__":
    failed, seconds, *outputs = sys.argv[1:]
    line, code = closing([last_line(Path(output)) for output in outputs], int(seconds), failed != "0")
    print(line)
    sys.exit(code)
