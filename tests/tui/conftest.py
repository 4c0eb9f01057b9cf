"""Each test of the console has folders of its own and no environment of its user's."""

from __future__ import annotations

from pathlib import Path

import pytest
import quiet

quiet.install()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SIEMS_HOME", str(tmp_path))
    for name in ("NO_COLOR", "SIEMS_A11Y", "TMUX", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return tmp_path
