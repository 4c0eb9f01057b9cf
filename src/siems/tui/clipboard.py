"""Copying: by OSC 52 through tmux and screen, and into a file for terminals that do not take it."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from siems import places

SCREEN_CHUNK = 76


def osc52(text: str, environment: dict[str, str] | None = None) -> str:
    """The sequence that sets the terminal's clipboard, wrapped for the multiplexer that stands in between."""
    env = dict(os.environ) if environment is None else environment
    bare = f"\x1b]52;c;{base64.b64encode(text.encode(errors='replace')).decode()}\x07"
    if env.get("TMUX"):
        # past tmux where it lets sequences through, and to tmux itself where it takes a clipboard
        return "\x1bPtmux;" + bare.replace("\x1b", "\x1b\x1b") + "\x1b\\" + bare
    if env.get("TERM", "").startswith("screen"):
        parts = [bare[at : at + SCREEN_CHUNK] for at in range(0, len(bare), SCREEN_CHUNK)]
        return "".join(f"\x1bP{part}\x1b\\" for part in parts)
    return bare


def copy_file() -> Path:
    return places.state_dir() / "copied.txt"


def keep(text: str) -> Path | None:
    """Write what was copied into the file that stands in for a clipboard; None when that fails."""
    path = copy_file()
    try:
        places.write_private(path, text.encode(errors="replace").decode() + "\n")
    except OSError:
        return None
    return path
