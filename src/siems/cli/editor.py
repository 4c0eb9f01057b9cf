"""Text that somebody changes in the editor of their choice."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from siems import errors


def edited(text: str, *, suffix: str) -> str | None:
    """The text as it was left in $VISUAL or $EDITOR (else vi); None when it was left as it was. Raises UsageError."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"siems{suffix}"
        file.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run([*shlex.split(editor), str(file)], check=False)  # noqa: S603
        except (OSError, ValueError) as why:
            raise errors.UsageError(f"the editor {editor!r} cannot be started", hint="set EDITOR") from why
        if done.returncode != 0:
            raise errors.UsageError(f"{editor} ended with {done.returncode}: nothing was changed", hint="set EDITOR")
        found = file.read_text(encoding="utf-8")
    return None if found == text else found
