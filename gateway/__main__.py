"""The start (启动): `python -m gateway` and the console script; quick, because an operator waits for every command."""

from __future__ import annotations

import gc


def main() -> None:
    """Load the house and run the command line."""
    # Nothing of what is loaded is ever given back: looking through it while it grows takes a quarter of the start.
    gc.disable()
    from gateway.line import run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
