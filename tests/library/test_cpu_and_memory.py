"""Runbooks about processors and memory, run for real on processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from house import until
from siems.domain.runbook import Phase

from .scratch import Scratch, root

BUSY = "import threading\ndef spin():\n while True: pass\nthreading.Thread(target=spin, daemon=True).start()\nspin()\n"


class Busy:
    """A process that uses the CPU, under a name of its own: with two threads, as servers have them."""

    def __init__(self, host: Scratch, name: str) -> None:
        self.name = name
        program = host.root / "tmp" / name
        program.symlink_to(sys.executable)
        home = {"PYTHONHOME": sys.base_prefix}
        self.process = subprocess.Popen([str(program), "-S", "-c", BUSY], env=home)
        until(lambda: len(self.threads) == 2)

    @property
    def threads(self) -> list[Path]:
        return list(Path(f"/proc/{self.process.pid}/task").iterdir())

    @property
    def niceness(self) -> set[int]:
        """Of all threads."""
        return {int((task / "stat").read_text().rpartition(")")[2].split()[16]) for task in self.threads}

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def busy(host: Scratch) -> Iterator[Busy]:
    made = Busy(host, f"spin{os.getpid() % 10_000}")
    yield made
    made.stop()


def measured(name: str, **more: str) -> dict[str, str]:
    """Only processes of this name, however little of a loaded machine they get."""
    return {"process": name, "threshold": "1", "seconds": "1", **more}


def test_the_offender_gives_way_and_is_put_back(host: Scratch, busy: Busy) -> None:
    host.has("renice")
    assert "load" in host.well("high-cpu-fix", Phase.PRECHECK)
    said = host.well("high-cpu-fix", Phase.STEPS, measured(busy.name, nice="15"))
    assert f"{busy.name} ({busy.process.pid})" in said
    assert "niceness 0 -> 15" in said
    assert busy.niceness == {15}
    assert "2 threads give way" in host.well("high-cpu-fix", Phase.VERIFY)

    again = host.well("high-cpu-fix", Phase.STEPS, measured(busy.name, nice="15"))
    assert "gives way already" in again

    if root():
        assert f"{busy.name} (" in host.well("high-cpu-fix", Phase.ROLLBACK)
        assert busy.niceness == {0}
        assert "nothing was changed" in host.well("high-cpu-fix", Phase.ROLLBACK)
    else:
        assert "needs root" in host.ill("high-cpu-fix", Phase.ROLLBACK)


def test_what_does_not_offend_is_left_alone(host: Scratch, busy: Busy) -> None:
    host.has("renice")
    said = host.well("high-cpu-fix", Phase.STEPS, measured("nosuchprocess"))
    assert "nothing was changed" in said
    assert busy.niceness == {0}
    assert "nothing had to be changed" in host.well("high-cpu-fix", Phase.VERIFY)
    said = host.well("high-cpu-fix", Phase.STEPS, measured(busy.name, threshold="9999"))
    assert busy.niceness == {0}


def test_verify_sees_when_somebody_takes_the_priority_back(host: Scratch, busy: Busy) -> None:
    if not root():
        pytest.skip("only root may raise a priority")
    host.has("renice")
    host.well("high-cpu-fix", Phase.STEPS, measured(busy.name))
    assert busy.niceness == {10}
    for task in busy.threads:
        os.setpriority(os.PRIO_PROCESS, int(task.name), 0)
    assert f"{busy.name} (" in host.ill("high-cpu-fix", Phase.VERIFY)


def test_a_process_that_ended_is_not_mistaken_for_another(host: Scratch, busy: Busy) -> None:
    host.has("renice")
    host.well("high-cpu-fix", Phase.STEPS, measured(busy.name))
    notes = host.root / "state" / "siems" / "high-cpu-fix"
    assert len(notes.read_text().splitlines()) == 2
    own = os.getpid()  # as if a number had been given to somebody else since
    notes.write_text(f"{own} 1 19 {busy.name}\n")
    before = os.getpriority(os.PRIO_PROCESS, own)
    host.well("high-cpu-fix", Phase.VERIFY)
    host.well("high-cpu-fix", Phase.ROLLBACK)
    assert os.getpriority(os.PRIO_PROCESS, own) == before


def test_a_host_without_its_tools_says_so_before_anything_is_changed(host: Scratch) -> None:
    assert "renice is missing" in host.ill("high-cpu-fix", Phase.PRECHECK)
    host.lacks("awk")
    assert "awk is missing" in host.ill("top-cpu-processes", Phase.PRECHECK)


def test_who_uses_the_cpu_is_named_without_its_arguments(host: Scratch, busy: Busy) -> None:
    host.well("top-cpu-processes", Phase.PRECHECK)
    said = host.well("top-cpu-processes", Phase.STEPS, {"top": "99", "seconds": "1"})
    assert "cores" in said
    assert "waits for disks" in said
    [line] = [line for line in said.splitlines() if busy.name in line]
    assert line.split()[1] == str(busy.process.pid)
    assert int(line.split()[0]) >= 1
    assert "import threading" not in said


def test_caches_are_dropped_once_by_the_kernels_own_switch(host: Scratch) -> None:
    host.stand_in("id", "echo 0")
    host.stand_in("sysctl", 'echo "$2"')
    given = {"worth_percent": "0", "least_percent": "1"}
    assert "caches" in host.well("clear-memory-cache", Phase.PRECHECK, given)
    assert "vm.drop_caches=3" in host.well("clear-memory-cache", Phase.STEPS, given)
    host.well("clear-memory-cache", Phase.STEPS, given | {"what": "files"})
    assert host.asked("sysctl") == ["-w vm.drop_caches=3", "-w vm.drop_caches=1"]
    assert "available" in host.well("clear-memory-cache", Phase.VERIFY, given)


def test_caches_are_left_where_that_would_not_help(host: Scratch) -> None:
    host.stand_in("id", "echo 0")
    assert "only slow them down" in host.ill("clear-memory-cache", Phase.PRECHECK, {"worth_percent": "99"})
    said = host.ill("clear-memory-cache", Phase.VERIFY, {"least_percent": "99"})
    assert "those that use most" in said
    host.stand_in("id", "echo 1000")
    assert "needs root" in host.ill("clear-memory-cache", Phase.PRECHECK, {"worth_percent": "0"})


def test_the_health_of_this_machine(host: Scratch) -> None:
    host.well("health-check", Phase.PRECHECK)
    said = host.well("health-check", Phase.STEPS)
    assert "load " in said
    assert "are zombies" in said
    assert time.strftime("%Y-") in said
    generous = {"disk_percent": "100", "memory_percent": "0", "load_per_core": "999"}
    assert "no limit is passed" in host.well("health-check", Phase.VERIFY, generous)
    host.stand_in(
        "df", "echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'; echo '/dev/sda1 9 8 1 91% /'"
    )
    assert "ill: / is 91% full" in host.ill("health-check", Phase.VERIFY, generous | {"disk_percent": "90"})


def test_failed_services_are_named(host: Scratch) -> None:
    host.stand_in(
        "systemctl", 'case $1 in show) echo Version=252 ;; *) echo "nginx.service loaded failed failed nginx" ;; esac'
    )
    said = host.well("health-check", Phase.STEPS)
    assert "failed: nginx.service" in said
    assert "1 services have failed" in said
