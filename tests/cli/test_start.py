"""Starting is a feature: a command imports what it needs and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from house import House

NEVER = {
    "aiohttp", "alembic", "apscheduler", "argon2", "boto3", "cryptography", "httpx", "keyring", "msgspec", "pydantic",
    "rich", "siems.config", "siems.daemon", "siems.domain", "siems.services", "siems.storage", "sqlalchemy", "ssl",
    "textual",
}  # fmt: skip


def imported(house: House, *words: str) -> set[str]:
    """The names of all modules that a command has imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "siems", *words], env=house.env, capture_output=True, text=True,
        timeout=30, check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return set(re.findall(r"^import time:.*\|\s+(\S+)$", done.stderr, flags=re.MULTILINE))


@pytest.mark.parametrize("words", ["incident list", "incident show {}", "incident ack {}", "alert list", "whoami"])
def test_a_command_imports_nothing_that_takes_long(house: House, incident: str, words: str) -> None:
    found = imported(house, *words.format(incident).split())
    assert "typer" in found
    assert not found & NEVER


def test_a_list_for_a_pipe_needs_no_query_language_and_no_dates(house: House) -> None:
    assert not imported(house, "incident", "list") & {"siems.grammar", "siems.clock", "siems.session", "csv"}


@pytest.mark.parametrize("word", ["--version", "version", "-V"])
def test_the_version_is_answered_before_anything_is_imported(house: House, word: str) -> None:
    assert {name for name in imported(house, word) if name.startswith(("siems", "typer", "json", "typing"))} <= {
        "siems",
        "siems.__main__",
    }


def test_the_overview_needs_no_command(house: House) -> None:
    assert "typer" not in imported(house, "--help")
