"""Showing a page in the browser of whoever sits at this terminal."""

from __future__ import annotations

import shutil
import subprocess
import sys

from siems.cli.context import Door

PROGRAMS = ("xdg-open", "open")


def show(door: Door, url: str) -> bool:
    """Open a page; False, with its address as a note, where nobody sits or no browser is to be had."""
    from siems.present import safe

    if not url.startswith(("https://", "http://")):
        door.note("this tool has no page of its own")
        return False
    program = next(filter(None, map(shutil.which, PROGRAMS)), None) if sys.stdout.isatty() else None
    if program is not None:
        try:
            subprocess.Popen(  # noqa: S603
                [program, url], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        except OSError:
            program = None
    if program is None:
        door.note(f"open it yourself:  {safe(url)}")
    return program is not None
