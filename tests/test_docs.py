"""The documentation tells what is there: made pages are fresh, links lead somewhere, commands can be typed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from siems import config
from siems.cli import ALIASES, NOUNS, with_verb

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import reference  # noqa: E402  (scripts/reference.py, the writer of docs/reference)

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
TYPED = [page for page in PAGES if "reference" not in page.parts]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SHELL = ("sh", "bash", "console", "")


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("path", reference.files(), ids=_named)
def test_made_files_are_fresh(path: Path) -> None:
    assert path.read_text() == reference.files()[path], "run  python scripts/reference.py"


def test_every_option_and_argument_says_what_it_is() -> None:
    rows = re.findall(r"^\| `.*\|$", reference.cli(), re.MULTILINE)
    assert len(rows) > 500
    assert [row for row in rows if not row.rstrip("|").rpartition("|")[2].strip()] == []


def test_the_example_of_the_settings_equals_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIEMS_HOME", str(tmp_path))
    assert config.load(ROOT / "siems.toml.example") == config.load()


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        path, _, anchor = target.partition("#")
        if path.startswith(("http://", "https://", "mailto:")):
            continue
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} leads nowhere"
        if anchor and found.suffix == ".md":
            assert anchor in _anchors(found), f"{target}: there is no such heading"


@cache
def _anchors(page: Path) -> frozenset[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


# --- commands --------------------------------------------------------------------------------------------------


@cache
def _known() -> dict[tuple[str, ...], frozenset[str]]:
    return {command.words: command.flags for command in reference.commands()}


def _lines(page: Path) -> Iterator[str]:
    """What a reader would type: shell blocks, and commands in a line of text."""
    text = page.read_text()
    for language, body in FENCE.findall(text):
        if language in SHELL:
            for line in body.replace("\\\n", " ").splitlines():
                yield line.removeprefix("$ ")
    yield from re.findall(r"`(siems [a-z][^`]*)`", FENCE.sub("", text))


def _commands(line: str) -> Iterator[list[str]]:
    """The arguments of each siems in a line, pipes and variables in front of it included."""
    if "siems" not in line or line.lstrip().startswith("#"):
        return
    words = shlex.shlex(line, posix=True, punctuation_chars="|&;()")
    words.whitespace_split, words.commenters = True, "#"
    command: list[str] = []
    for word in [*_readable(words), ";"]:
        if set(word) <= set("|&;()"):
            yield from _arguments(command)
            command = []
        else:
            command.append(word)


def _readable(words: shlex.shlex) -> list[str]:
    try:
        return list(words)
    except ValueError:  # an open quote: the script goes on in the next line
        return []


def _arguments(command: list[str]) -> Iterator[list[str]]:
    while command and (re.match(r"\w+=", command[0]) or command[0] in ("sudo", "exec", "env")):
        skip = 3 if command[0] == "sudo" and command[1:2] == ["-u"] else 1
        command = command[skip:]
    if command and command[0].rsplit("/", 1)[-1] == "siems" and len(command) > 1:
        yield command[1:]


@pytest.mark.parametrize("page", TYPED, ids=_named)
def test_commands_can_be_typed(page: Path) -> None:
    for line in _lines(page):
        for arguments in _commands(line):
            _check(arguments, line)


def _check(arguments: list[str], line: str) -> None:
    if arguments[0].startswith("-") or not arguments[0].isalpha() or arguments[0].isupper():
        return
    words = (ALIASES.get(arguments[0], arguments[0]), *arguments[1:])
    nouns = {known[0] for known in _known()}
    if arguments[0] == "version":
        return
    assert words[0] in nouns, f"there is no noun {words[0]!r}: {line}"
    words = (words[0], *with_verb(import_module(f"siems.cli.{NOUNS[words[0]][0]}"), list(words[1:])))
    found = next((known for known in _known() if words[: len(known)] == known), None)
    if found is None:
        group = any(known[: len(words)] == words for known in _known())
        assert group or words[1].startswith("-") or "|" in words[1], f"there is no verb {words[1]!r}: {line}"
        return
    for word in words[len(found) :]:
        if word == "--":
            return
        if re.fullmatch(r"-[a-zA-Z]|--[a-z-]+(=.*)?", word):
            assert word.partition("=")[0] in _known()[found], f"there is no flag {word!r}: {line}"


def test_every_event_is_explained() -> None:
    """The guide to the live stream names every type that the code can send."""
    code = "\n".join(path.read_text() for path in sorted((ROOT / "src" / "siems").rglob("*.py")))
    sent = set(re.findall(r"(?:stream\.add|_?publish)\(\s*(?:uow, )?\"([a-z]+\.[a-z_]+)\"", code))
    sent |= set(re.findall(r"type=\"([a-z]+\.[a-z_]+)\"", code)) | set(re.findall(r"Action\.\w+: \"(\w+\.\w+)\"", code))
    guide = (ROOT / "docs" / "guides" / "live-stream.md").read_text()
    missing = sorted(name for name in sent if f"`{name}`" not in guide)
    assert not missing, f"docs/guides/live-stream.md does not tell of {', '.join(missing)}"


def test_nothing_outside_is_loaded_by_the_picture() -> None:
    picture = (ROOT / "docs" / "board.svg").read_text()
    assert not re.search(r"@font-face|url\((?!#)|<image|href=\"(?!#)", picture)


def test_the_check_of_the_script_agrees() -> None:
    done = subprocess.run([sys.executable, "scripts/reference.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0
