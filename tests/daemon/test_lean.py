"""A daemon loads nothing that paints on a terminal, nor what few ask for."""

from __future__ import annotations

import subprocess
import sys

from siems.daemon.lean import without

_LOADED = """
import sys
sys.argv = ["siems.daemon", "--help"]
try:
    import siems.daemon.__main__
except SystemExit:
    pass
print(*sorted({"click", "icalendar", "pygments", "rich", "textual", "typer", "boto3"} & sys.modules.keys()))
"""


def test_what_a_terminal_needs_is_not_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == ""


def test_what_was_kept_away_can_be_had_afterwards_and_what_was_there_stays() -> None:
    import json

    sys.modules.pop("this_is_no_module", None)
    with without("json", "this_is_no_module"):
        assert sys.modules["json"] is json
        assert "this_is_no_module" in sys.modules
    assert "this_is_no_module" not in sys.modules
    assert sys.modules["json"] is json
