"""SIGTERM under saturating load: a clean end within ten seconds, no half answer, and what was answered is there."""

from __future__ import annotations

import time
from pathlib import Path

from tests.crash import machine
from tests.crash.judge import STOP_SECONDS
from tests.crash.run import judged_folder
from tests.crash.senders import read

CONNECTIONS = 64


def test_a_stop_under_load_is_clean_and_polite(folder: Path) -> None:
    record = folder / "record.json"
    with machine.gateway(folder / "data") as gateway:
        gateway.start()
        with machine.senders(record, gateway, 11, connections=CONNECTIONS) as senders:
            time.sleep(1.0)
            code, seconds = gateway.stop()
            print(f"\n  SIGTERM under load: exit {code} after {seconds:.2f} s")
            assert (code, seconds < STOP_SECONDS) == (0, True), gateway.last_words()
            gateway.start()
            senders.finish(60)
        machine.look_up(record, gateway.port)
        stopped = gateway.stop()
        seen = read(record)
        assert set(seen.statuses) <= {"200", "201", "250", "421", "503", "page"}
        assert (seen.half, seen.abrupt) == (0, 0)  # every refusal of a drain says that it closes
        # A connection may close while its next request is on its way: nothing was promised, it is sent again.
        assert seen.unanswered <= CONNECTIONS
        print(f"  {seen.statuses}, polite refusals: {seen.polite}, closed without an answer: {seen.unanswered}")
        assert not judged_folder(gateway, record, stopped, errors=True)
