"""Each test of a runbook has a host of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .scratch import Scratch


@pytest.fixture
def host() -> Iterator[Scratch]:
    # runbooks that delete take folders below /tmp only, wherever pytest keeps its own
    root = Path(tempfile.mkdtemp(prefix="siems-host-", dir="/tmp"))
    yield Scratch(root)
    shutil.rmtree(root)
