"""A step fails on a machine at Google, asks what now, and the run goes on as people say, also after a restart."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clouds.google import CANARY, KEY_FILE, PROJECT, ZONE, Google
from executors.sshd import KEY, Sshd, beside
from house import House, until

from .test_people import hire

BOOK = """\
name: take-patch-back
title: Take a patch back
risk: low
platforms: [linux]
timeout: 30m
steps:
  - name: uninstall
    on_failure: ask
    run: 'echo "$(id -u) on a machine"; mkdir {folder}/$$; test -e {folder}/ok'
verify:
  - {{name: health, run: 'true'}}
rollback: []
"""


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Google, Sshd]]:
    """A project with two machines and a third that nobody can reach."""
    sudo = tmp_path / "bin" / "sudo"
    sudo.parent.mkdir()
    sudo.write_text('#!/bin/sh\nshift\nexec "$@"\n')
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{sudo.parent}:{os.environ['PATH']}")
    with Google() as made, beside() as sshd:
        sshd.keys = made.knows
        for name in ("web-1", "web-2", "web-3"):
            keys = [] if name == "web-3" else [KEY.export_public_key().decode()]
            made.vm(name, port=sshd.port, host_keys=keys)
        yield made, sshd


def test_machines_at_google_a_step_that_asks_and_a_restart_in_between(
    prepared: Callable[..., House], google: tuple[Google, Sshd], tmp_path: Path
) -> None:
    cloud, _ = google
    variables = {f"SIEMS_GCP_{name.upper()}": url for name, url in cloud.environment.items()}
    house = prepared(**variables).up()
    acme = house.onboard("Acme Corp")

    # what to type over there, then the key, which is never shown
    wanted = ("company", "gcp", "setup", acme.slug, "--account", PROJECT)
    steps = house.run(*wanted).out
    assert "gcloud services enable compute.googleapis.com oslogin.googleapis.com" in steps
    assert f"siems company gcp setup {acme.slug} --account {PROJECT} --secret-file" in steps
    assert house.run(*wanted, "--template").out.startswith("#!/bin/sh\nset -e\ngcloud services enable")
    assert "no credentials yet" in house.run("company", "gcp", "check", acme.slug, exit=6).err
    assert "no key file" in house.run(*wanted, "--secret-file", "-", text="{}", exit=2).err
    told = house.run(*wanted, "--secret-file", "-", "--json", text=KEY_FILE).out
    assert CANARY not in told + house.run("company", "gcp", "list", "--json").out
    cloud.permissions.remove("compute.instances.osAdminLogin")
    lacking = house.run("company", "gcp", "check", acme.slug, exit=9).rows
    assert [row[2] for row in lacking if row[1] == "MISSING"] == ["compute.instances.osAdminLogin"]
    cloud.permissions.append("compute.instances.osAdminLogin")
    assert {row[1] for row in house.run("company", "gcp", "check", acme.slug).rows} == {"yes"}

    for name in ("web-1", "web-2", "web-3"):
        acme.alert("patch_broken", name)
        where = ("--instance-id", f"{ZONE}/{name}", "--cloud-account", PROJECT)
        house.run("asset", "edit", name, "--company", acme.slug, *where, "--platform", "linux")
    found = {one["asset"]: (one["answers"], one["why"]) for one in house.json("asset", "list", "--agent")}
    assert (found["web-1"], found["web-3"][0]) == (("yes", ""), "no agent")
    assert "no host keys" in found["web-3"][1]

    # a runbook whose step asks when it fails
    sam = hire(house, tmp_path, "sam", "admin")
    jon = hire(house, tmp_path, "jon", "technician", acme.slug)
    work = tmp_path / "work"
    work.mkdir()
    file = tmp_path / "book.yaml"
    file.write_text(BOOK.format(folder=work))
    house.run("runbook", "validate", str(file))
    house.run("runbook", "new", "take-patch-back", "--company", acme.slug, "--from-file", str(file))
    sam.run("runbook", "approve-content", "take-patch-back", "--company", acme.slug, "--confirm", "take-patch-back")
    [incident] = house.incidents(acme)
    ask = ("runbook", "run", "take-patch-back", "--incident", incident["id"], "--canary", "0", "--max-failures", "3",
           "--host", "web-1", "--host", "web-2")  # fmt: skip
    plan = jon.run(*ask, "--dry-run").out
    assert "linux by gcp" in plan
    assert "asks if it fails" in plan
    jon.run(*ask)
    until(lambda: jon.json("runbook", "status", "RUN-1")["state"] == "asking", seconds=60)
    waits = jon.run("runbook", "status", "RUN-1", "--exit-status", exit=8).out
    late = jon.run("runbook", "status", "RUN-1", "--watch", "--timeout", "1s", exit=8).err
    assert "error: RUN-1 is asking after 1s  (pending, exit 8)\n  siems runbook status RUN-1" in late
    assert "no canary, 4 at a time; 3 may fail" in waits
    assert "web-1 asks what now: a step failed: uninstall (exit code 1)" in waits
    assert "siems runbook answer RUN-1 skip|retry|hold|go-on --host web-2" in waits
    assert any("asks what now" in line for line in jon.run("notify", "inbox").lines)

    # nothing happens until somebody chooses, whichever daemon runs
    house.stop()
    house.up()
    assert jon.json("runbook", "status", "RUN-1")["state"] == "asking"
    assert "2 hosts of RUN-1 ask" in jon.run("runbook", "answer", "RUN-1", "retry", exit=2).err
    said = jon.run("runbook", "answer", "RUN-1", "hold", "--host", "web-2", "--reason", "I look at it")
    assert said.out == "RUN-1 web-2: held\n"
    (work / "ok").touch()
    for name in ("web-1", "web-2"):
        assert jon.run("runbook", "answer", "RUN-1", "retry", "--host", name).out == (
            f"RUN-1 {name}: its step is tried again\n"
        )
    done = jon.run("runbook", "status", "RUN-1", "--watch", "--exit-status")
    assert done.lines[0].startswith("RUN-1  succeeded  verified")
    tries = [line.split("  ")[2:4] for line in done.lines if "uninstall, try" in line][:2]
    assert tries == [["1 steps: uninstall, try 1", "failed"], ["1 steps: uninstall, try 2", "succeeded"]]
    logs = jon.run("runbook", "logs", "RUN-1").lines
    assert logs.count("web-1 | --- step 1 uninstall, try 2 ---") == 1
    assert "web-1 | --- step 1 uninstall, try 2 ---" not in jon.run("runbook", "logs", "RUN-1", "--try", "1").lines
    again = jon.run("runbook", "answer", "RUN-1", "skip", "--host", "web-1", exit=6).err
    assert "web-1 of RUN-1 asks nothing: succeeded" in again

    lines = [entry["text"] for entry in house.json("incident", "timeline", incident["id"])]
    assert "RUN-1 take-patch-back: web-2 is held, says jon: I look at it" in lines
    assert any(line.startswith("RUN-1 take-patch-back: web-1 asks what now") for line in lines)
    told = [entry["action"] for entry in house.json("audit", "list", "--object", "RUN-1")]
    assert (told.count("run.host_asked"), told.count("run.host_answered")) == (2, 3)
    assert house.json("audit", "verify")["ok"] is True
