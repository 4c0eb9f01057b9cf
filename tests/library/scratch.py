"""A host of its own for a runbook: only the tools that a test names, folders that may be filled and emptied.

A tool is this machine's own, or a stand-in where the real one is not here or would change this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from siems import library
from siems.domain.runbook import Phase, Runbook
from siems.domain.runbook_values import environment, values
from siems.vocabulary import Platform

SECONDS = 60
END = "code=$?; echo end of the script; exit $code\n"
PLAIN = (
    "sh", "awk", "basename", "cat", "cp", "cut", "date", "df", "du", "env", "find", "getconf", "getent", "grep", "head",
    "id", "ls", "mkdir", "mktemp", "mv", "printf", "rm", "sed", "seq", "sleep", "sort", "stat", "sync", "tail", "tr",
    "uname", "uniq", "wc", "xargs",
)  # fmt: skip
"""What every Linux has, the small ones too."""


@dataclass(frozen=True)
class Ran:
    """What became of one step."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass
class Scratch:
    """One pretended host."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("bin", "state", "tmp", "kept"):
            (self.root / name).mkdir()
        self.has(*PLAIN)

    @property
    def kept(self) -> Path:
        """Where stand-ins write down what they were asked."""
        return self.root / "kept"

    def has(self, *tools: str) -> None:
        """This machine's own tools."""
        for tool in tools:
            found = shutil.which(tool, path="/usr/bin:/bin:/usr/sbin:/sbin")
            if found is None:
                raise FileNotFoundError(tool)
            (self.root / "bin" / tool).symlink_to(found)

    def lacks(self, *tools: str) -> None:
        for tool in tools:
            (self.root / "bin" / tool).unlink()

    def stand_in(self, tool: str, script: str) -> None:
        """A tool that does what `script` says; it writes down what it was asked, and finds its notes in $KEPT."""
        path = self.root / "bin" / tool
        path.unlink(missing_ok=True)
        path.write_text(f'#!/bin/sh\necho "$*" >> "{self.kept}/{tool}.asked"\nKEPT={self.kept}\n{script}\n')
        path.chmod(0o755)

    def asked(self, tool: str) -> list[str]:
        """With which words a stand-in was called."""
        path = self.kept / f"{tool}.asked"
        return path.read_text().splitlines() if path.exists() else []

    def run(self, name: str, phase: Phase, given: Mapping[str, str] | None = None) -> list[Ran]:
        """The steps of a phase one after the other, as over ssh: the script is what `sh` reads from its input."""
        runbook = library.find(name)
        assert runbook is not None
        done = []
        for step in runbook.steps(phase, Platform.LINUX):
            done.append(self._sh(step.run[Platform.LINUX], runbook, given or {}))
            if done[-1].code != 0:
                break
        return done

    def well(self, name: str, phase: Phase, given: Mapping[str, str] | None = None) -> str:
        """As `run`, where all must end well; what they printed."""
        done = self.run(name, phase, given)
        assert all(ran.code == 0 for ran in done), done[-1]
        return "".join(ran.said for ran in done)

    def ill(self, name: str, phase: Phase, given: Mapping[str, str] | None = None) -> str:
        """As `run`, where the last must fail, and say why on its error stream or in its output."""
        done = self.run(name, phase, given)
        assert done, "there is no such step"
        assert done[-1].code != 0, done[-1]
        assert done[-1].said.strip()
        return done[-1].said

    def _sh(self, script: str, runbook: Runbook, given: Mapping[str, str]) -> Ran:
        env = {
            "PATH": str(self.root / "bin"), "HOME": str(self.root), "TMPDIR": str(self.root / "tmp"),
            "XDG_STATE_HOME": str(self.root / "state"), **self.env, **environment(values(runbook, given)),
        }  # fmt: skip
        done = subprocess.run(
            ["/bin/sh", "-s"], input=f"{script}\n{END}", text=True, capture_output=True, env=env,
            timeout=SECONDS, cwd=self.root, errors="replace",
        )  # fmt: skip
        # what a tool reads from its input must not be the rest of the script
        assert done.returncode != 0 or "exit 0" in script or done.stdout.endswith("end of the script\n"), done.stdout
        out = done.stdout.removesuffix("end of the script\n")
        return Ran(done.returncode, out, done.stderr)


def root() -> bool:
    return os.geteuid() == 0
