"""The fax box (传真箱): what the fax door is set to - its folder, how it is watched, how files are named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from config.fax import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Faxbox:
    """inbox: the watched folder; names, mails: patterns with the groups sender, day, time, tried in order."""

    inbox: Path
    watch: Watch
    names: tuple[re.Pattern[str], ...] = ()
    mails: tuple[re.Pattern[str], ...] = ()
