"""The example in docs/channels.md is run as it stands there: a guide that does not work is worse than none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
_EXAMPLE = re.compile(r"(?s)<!-- example: (\S+) -->\n```python\n(.*?)```")
# The door of the guide is found beside the real ones, as if its file lay among them.
_CONFTEST = (
    "from pathlib import Path\nimport channels\nchannels.__path__.append(str(Path(__file__).parent / 'channels'))\n"
)


def test_the_example_of_the_guide_passes_its_own_test(tmp_path: Path) -> None:
    files = dict(_EXAMPLE.findall((ROOT / "docs" / "channels.md").read_text(encoding="utf-8")))
    assert set(files) == {"channels/grid.py", "tests/channels/test_grid.py"}
    for name, text in {**files, "conftest.py": _CONFTEST}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", "-c", str(ROOT / "pyproject.toml")]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path / "tests")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "7 passed" in run.stdout
