"""The console over the scripted daemon in a terminal of its own: what the terminal tests start."""

from __future__ import annotations

import fcntl
import signal
import sys
import termios
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from scripted import ScriptedClient, view

from siems.tui.app import run

if __name__ == "__main__":
    options = {name: value != "0" if value in "01" else value for name, value in (a.split("=") for a in sys.argv[1:])}
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that the terminal's end is told as it is in life
    # whoever runs the tests may ignore it, and that would be inherited
    signal.signal(signal.SIGHUP, signal.SIG_IGN if options.pop("ignore_hup", False) else signal.SIG_DFL)
    breached = [view(n, minutes=-5, seconds=n, severity="CRITICAL") for n in range(20)]
    if note := options.pop("at_end", ""):
        options["at_end"] = lambda: Path(note).write_text("tidied")
    client = ScriptedClient(breached if options.pop("ticking", False) else None)
    sys.exit(run(client, **options))  # type: ignore[arg-type]
