"""The daemon's log: it is exchanged when it is large, opened again when told, and no disk stops who writes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
SCRIPT = """
import os, sys
from pathlib import Path
from siems.daemon.logs import Output
output = Output(Path(sys.argv[1]), largest=1_000, keep=int(sys.argv[2]))
for number in range(int(sys.argv[3])):
    if number == 50 and sys.argv[4]:
        os.rename(sys.argv[1], sys.argv[4])
        output.reopen()
    output.msg(f"line {number} " + "x" * 80)
print("said by somebody else", flush=True)
"""


def write(file: Path, *, keep: int, lines: int, moved: str = "") -> None:
    with file.open("ab") as out:
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(file), str(keep), str(lines), moved],
            check=True, stdout=out, stderr=out, timeout=30, env={"PYTHONPATH": str(SRC)},
        )  # fmt: skip


def numbers(*files: Path) -> list[int]:
    text = "".join(file.read_text() for file in files)
    return [int(line.split()[1]) for line in text.splitlines() if line.startswith("line ")]


def test_a_large_log_is_exchanged_and_the_oldest_go(tmp_path: Path) -> None:
    file = tmp_path / "daemon.log"
    write(file, keep=2, lines=50)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["daemon.log", "daemon.log.1", "daemon.log.2"]
    kept = numbers(tmp_path / "daemon.log.2", tmp_path / "daemon.log.1", file)
    assert kept == list(range(kept[0], 50))
    assert 20 < len(kept) < 40
    assert all(path.stat().st_size <= 1_100 for path in tmp_path.iterdir())
    assert "said by somebody else" in file.read_text()
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.glob("daemon.log") if numbers(path))


def test_none_is_kept_where_none_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "daemon.log"
    write(file, keep=0, lines=50)
    assert [path.name for path in tmp_path.iterdir()] == ["daemon.log"]
    assert numbers(file)[-1] == 49


def test_a_log_that_was_moved_away_is_left_alone(tmp_path: Path) -> None:
    file, moved = tmp_path / "daemon.log", tmp_path / "archive"
    write(file, keep=50, lines=55, moved=str(moved))
    assert numbers(file) == list(range(50, 55))
    assert "said by somebody else" not in moved.read_text()


@pytest.mark.parametrize("end", ["/dev/full", "closed"])
def test_who_writes_where_nothing_can_be_written_goes_on(end: str) -> None:
    script = SCRIPT.replace("Path(sys.argv[1])", "None").replace('print("said', 'os.write(9, b"done") #')
    ours, theirs = os.pipe()
    shell = f'exec 9>&{theirs}; exec "$0" -c "$1" x 0 10 "" 2>{"/dev/full" if end == "/dev/full" else "&-"}'
    subprocess.run(
        ["bash", "-c", shell, sys.executable, script],
        check=True, timeout=30, env={"PYTHONPATH": str(SRC)}, pass_fds=(theirs,),
    )  # fmt: skip
    os.close(theirs)
    assert os.read(ours, 10) == b"done"
    os.close(ours)
