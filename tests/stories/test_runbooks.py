"""Fixing it from the same terminal: five servers with a high CPU; a runbook of one's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from house import House
from siems.client import local

from .test_people import hire

BOOK = """\
name: restart-vpn
title: Restart the VPN
risk: low
platforms: [linux]
steps:
  - name: restart it
    run: systemctl restart vpn
verify:
  - name: it runs
    run: systemctl is-active vpn
rollback: []
"""


@contextmanager
def burning(folder: Path) -> Iterator[int]:
    """A process that uses a core, under a name of its own; its number."""
    program = folder / "burner-4711"
    shutil.copy(os.path.realpath("/bin/sh"), program)
    with subprocess.Popen([str(program), "-c", "while :; do :; done"]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def test_five_servers_with_a_high_cpu_are_put_right_by_one_command(
    prepared: Callable[..., House], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = prepared(XDG_STATE_HOME=str(tmp_path / "state")).up()
    acme = house.onboard("Acme")
    for number in range(1, 6):
        acme.alert("high_cpu_usage", f"web-{number}", tool_source="Datadog")
    [incident] = house.incidents(acme)
    ref = incident["id"]
    card = house.run("incident", "show", ref).out
    assert (
        f"runbook high-cpu-fix  low risk, matches high_cpu_usage:  siems runbook run high-cpu-fix --incident {ref}"
        in card
    )

    # off until somebody has said so, and then at once
    refused = house.run("runbook", "run", "high-cpu-fix", "--incident", ref, "--executor", "local", exit=2)
    assert "siems config set executors.local.enabled true" in refused.err
    with house.start("config", "set", "executors.local.enabled", "true") as setting:
        assert "in force at once" in setting.communicate(timeout=120)[0]
    how = ("--executor", "local", "--var", "process=burner-4711", "--var", "threshold=1", "--var", "seconds=1")
    plan = house.run("runbook", "run", "high-cpu-fix", "--incident", ref, *how, "--dry-run").out
    assert plan.startswith("Acme (comp-acme): high-cpu-fix on 5 hosts, low risk, nobody has to approve it")
    assert "export SIEMS_PROCESS='burner-4711'" in plan
    assert house.json("runbook", "runs") == []

    with burning(tmp_path) as burner:
        ran = house.run("runbook", "run", "high-cpu-fix", "--incident", ref, *how, "--follow", "--exit-status")
        assert os.getpriority(os.PRIO_PROCESS, burner) == 10
    assert "web-1 | burner-4711" in ran.out
    assert ran.lines[-1] == "RUN-1: succeeded, verified: all 5 hosts succeeded"
    run = house.json("runbook", "status", "RUN-1")
    assert [(h["name"], h["state"], len(h["steps"])) for h in run["hosts"]] == [
        (f"web-{number}", "succeeded", 3) for number in range(1, 6)
    ]

    told = [entry["action"] for entry in house.json("audit", "list", "--object", "RUN-1")]
    assert sorted(told) == ["run.finished", *["run.host_finished"] * 5, "run.requested", "run.started"]
    lines = [entry["text"] for entry in house.json("incident", "timeline", ref)]
    assert "RUN-1 high-cpu-fix: succeeded, verified, all 5 hosts succeeded" in lines

    house.run("incident", "resolve", ref, "--note", "RUN-1 made the release's job give way")
    monkeypatch.setenv("SIEMS_HOME", str(house.home))
    assert local().summary()["mttr_seconds"] is not None
    assert house.json("audit", "verify")["ok"] is True
    # the next time it is known to have helped
    for number in range(1, 4):
        acme.alert("high_cpu_usage", f"db-{number}")
    [again] = [i["id"] for i in house.incidents(acme) if i["state"] == "OPEN"]
    assert "fixed this 1 time before" in house.run("incident", "show", again).out


def test_a_runbook_of_ones_own_is_believed_once_another_admin_has_read_it(running: House, tmp_path: Path) -> None:
    acme = running.onboard("Acme")
    acme.alert("vpn_down", "web-1")
    sam, mia = hire(running, tmp_path, "sam", "admin"), hire(running, tmp_path, "mia", "manager", "acme")
    file = tmp_path / "restart-vpn.yaml"
    file.write_text(BOOK.replace("risk: low", "risk: lo"))
    wrong = running.run("runbook", "validate", str(file), exit=9)
    assert f"{file}:3:7: 'lo' is no risk" in wrong.out + wrong.err
    file.write_text(BOOK)
    running.run("runbook", "validate", str(file))
    running.run("runbook", "new", "restart-vpn", "--company", "acme", "--from-file", str(file))

    # whoever wrote it does not approve it; another admin does, and then it is what it says
    mine = ("restart-vpn", "--company", "acme")
    assert running.json("runbook", "show", *mine)["risk"] == "high"
    running.run("runbook", "approve-content", *mine, "--confirm", "restart-vpn", exit=5)
    sam.run("runbook", "approve-content", *mine, "--confirm", "restart-vpn")
    assert running.json("runbook", "show", *mine)["risk"] == "low"
    file.write_text(BOOK + "# a word more\n")
    running.run("runbook", "edit", *mine, "--from-file", str(file))
    assert running.json("runbook", "show", *mine)["risk"] == "high"

    # cron does not wait for people: the request is made, and somebody else answers it
    known = tmp_path / "known_hosts"
    known.write_text("* ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ\n")
    running.run(
        "runbook", "access", "set", "ssh", "--company", "acme", "--login", "ops", "--known-hosts", str(known),
        "--password-file", "-", text="sesame\n",
    )  # fmt: skip
    words = ("runbook", "run", "restart-web-server", "--company", "acme", "--host", "web-1")
    ran = running.run(*words, "-q", exit=8)
    assert ran.out == "RUN-1\n"
    running.run("runbook", "approve", "RUN-1", "--confirm", "RUN-1", exit=5)
    mia.run("runbook", "reject", "RUN-1", "--reason", "after six")
    assert running.run("runbook", "status", "RUN-1", "--exit-status", exit=9).out.startswith("RUN-1  rejected")
