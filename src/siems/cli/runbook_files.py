"""Runbooks as files: read, checked without a daemon, and told where something is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import which
from typing import Any

from siems import errors
from siems.cli.show import Column, Item, field
from siems.domain.runbook import Runbook, Shell
from siems.domain.runbook_text import read
from siems.domain.yaml_nodes import Problem

PROBLEMS = (
    Column("WHERE", lambda p: f"{p['file']}:{p['line']}:{p['column']}"),
    field("SEVERITY", "severity"),
    field("MESSAGE", "message", grows=True),
    field("HINT", "hint", grows=True, drop=1),
)
SUFFIXES = (".yaml", ".yml")
_SYNTAX_SECONDS = 10


def text_of(source: str) -> str:
    """The text of a file, or of standard input for `-`. Raises UsageError."""
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        reason = getattr(why, "strerror", None) or "it is no text in UTF-8"
        raise errors.UsageError(f"{source} cannot be read: {reason}", hint="--from-file restart-vpn.yaml") from why


def texts(sources: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name, text) of files, of every YAML file of folders, and of standard input for `-`. Raises UsageError."""
    for source in sources:
        if source != "-" and Path(source).is_dir():
            inside = sorted(p for p in Path(source).iterdir() if p.suffix in SUFFIXES)
            if not inside:
                raise errors.UsageError(f"there is no YAML file in {source}", hint="siems runbook validate FILE")
            yield from ((str(path), text_of(str(path))) for path in inside)
        else:
            yield ("standard input" if source == "-" else source, text_of(source))


def checked(file: str, text: str) -> list[Item]:
    """Every problem of a text, from top to bottom, the syntax of its shell scripts included."""
    runbook, problems = read(text)
    found = [*problems]
    if runbook is not None:
        found += _syntax(runbook, text)
    return [_item(file, problem) for problem in sorted(found)]


def failed(problems: Iterable[Item]) -> bool:
    return any(p["severity"] == "error" for p in problems)


def told(problem: Item) -> str:
    """`restart-vpn.yaml:12:3: there is no risk 'lo' (did you mean low?)`."""
    from siems.present import safe

    word = "warning: " if problem["severity"] == "warning" else ""
    hint = f" ({' '.join(problem['hint'].split())})" if problem["hint"] else ""
    return safe(f"{problem['file']}:{problem['line']}:{problem['column']}: {word}{problem['message']}{hint}")


def _item(file: str, problem: Problem) -> Item:
    found: dict[str, Any] = {"id": f"{file}:{problem.line}:{problem.column}", "file": file}
    severity = "warning" if problem.warning else "error"
    return found | {
        "line": problem.line, "column": problem.column, "severity": severity, "message": problem.message,
        "hint": problem.hint,
    }  # fmt: skip


def _syntax(runbook: Runbook, text: str) -> Iterator[Problem]:
    """What this machine's sh says of the scripts that are for one; nothing is run."""
    shell = which("sh")
    if shell is None:
        return
    lines = text.splitlines()
    for steps in runbook.phases.values():
        for step in steps:
            for platform, script in step.run.items():
                if Shell.of(platform) is not Shell.SH:
                    continue
                done = subprocess.run(  # noqa: S603
                    [shell, "-n"], input=script, text=True, capture_output=True, timeout=_SYNTAX_SECONDS, check=False
                )
                if done.returncode != 0:
                    yield _complaint(done.stderr, script, lines, step.name)


def _complaint(said: str, script: str, lines: list[str], step: str) -> Problem:
    """`sh: 3: Syntax error: ...` at its line of the file."""
    first = said.strip().splitlines()[0] if said.strip() else "it is no shell script"
    number = next((int(word) for word in first.replace("line ", "").split(":") if word.strip().isdigit()), 1)
    begin = _begin(script.splitlines(), lines)
    row = min(begin + number - 1, len(lines) - 1)
    column = len(lines[row]) - len(lines[row].lstrip()) + 1
    message = first.rpartition(": ")[2].strip()
    return Problem(row + 1, column, f"the script of {step!r} is no shell script: {message}", "sh -n says more")


def _begin(script: list[str], lines: list[str]) -> int:
    """The index of the line at which a script begins in its file."""
    wanted = [line.strip() for line in script]
    for index in range(len(lines)):
        if [line.strip() for line in lines[index : index + len(wanted)]] == wanted:
            return index
    return 0
