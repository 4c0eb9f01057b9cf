"""From an alert to a resolved incident by runbooks that reach machines in a cloud and machines with Windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from clouds.fleet import Fleet, a_fleet
from clouds.windows import PASSWORD, USER, Windows, certificate
from house import House

from .test_people import hire

ACCOUNT = "123456789012"
BOOK = """\
name: restart-spooler
title: Restart the print spooler
risk: low
platforms: [windows]
matches: ['spooler.*']
parameters:
  queue: {pattern: '[a-z]+'}
precheck: [{name: it is known, run: 'echo known'}]
steps: [{name: restart it, run: 'echo "restarting $SIEMS_QUEUE"; touch restarted'}]
verify: [{name: it runs, run: 'test -f restarted && echo runs'}]
rollback: [{name: take it back, run: 'rm -f restarted'}]
"""


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    folder = tmp_path / "fleet"
    folder.mkdir()
    with a_fleet(folder) as made:
        yield made


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Windows]:
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users"))
    context, pem = certificate(tmp_path, "127.0.0.1")
    with Windows(context, tmp_path / "users") as made:
        made.pem = pem
        yield made


def test_three_instances_of_aws_are_put_right_by_systems_manager(
    prepared: Callable[..., House], fleet: Fleet
) -> None:  # fmt: skip
    house = prepared(
        SIEMS_AWS_ENDPOINT_URL=fleet.url, AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing",
        AWS_EC2_METADATA_DISABLED="true",
    ).up()  # fmt: skip
    acme = house.onboard("Acme")
    setup = ("company", "aws", "setup", "acme", "--account", ACCOUNT, "--region", "eu-west-1")
    account = house.json(*setup)["account"]
    fleet.roles[account["role_arn"]] = account["external_id"]
    names = ("web-1", "web-2", "web-3")
    for made in fleet.run(*names):
        fleet.agent(made["InstanceId"])
    house.run("asset", "import", "--aws", "--company", "acme", "--region", "eu-west-1", "--yes")
    for name in names:
        acme.alert("high_cpu_usage", name, tool_source="Datadog")
    [incident] = house.incidents(acme)
    ref = incident["id"]

    # nothing says how, and still it is known: by the account that they were found in
    wanted = ("runbook", "run", "high-cpu-fix", "--incident", ref, "--var", "process=none-4711", "--var", "seconds=1")
    plan = house.run(*wanted, "--dry-run").out
    assert plan.count("linux by ssm") == 3
    assert not fleet.commands

    ran = house.run(*wanted, "--follow", "--exit-status")
    assert ran.lines[-1] == "RUN-1: succeeded, verified: all 3 hosts succeeded"
    assert "web-3 | " in ran.out
    sent = [sorted(one.invocations) for one in fleet.commands.values()]
    assert [len(ids) for ids in sent] == [1, 1, 1, 2, 2, 2], "the canary alone, then both others by one command each"
    assert {given for _, given in fleet.assumed} == {account["external_id"]}

    house.run("incident", "resolve", ref, "--note", "gave way", "--yes")
    shown = house.json("incident", "show", ref)
    assert shown["state"] == "RESOLVED"
    story = " ".join(line["text"] for line in house.json("incident", "timeline", ref))
    assert "RUN-1 high-cpu-fix: succeeded, verified, all 3 hosts succeeded" in story
    actions = [line["action"] for line in house.json("audit", "list", "--object", "RUN-1")]
    assert {"run.requested", "run.started", "run.host_finished", "run.finished"} <= set(actions)
    mttr = house.json("report", "mttr", "--range", "1d")
    assert mttr["total"]["figures"]["resolved"]["value"] == 1


def test_a_windows_server_is_put_right_by_winrm(
    prepared: Callable[..., House], windows: Windows, tmp_path: Path
) -> None:  # fmt: skip
    house = prepared().up()
    acme = house.onboard("Acme")
    other = hire(house, tmp_path, "sam", "admin")
    house.run("asset", "create", "win-01", "--company", "acme", "--address", "127.0.0.1", "--platform", "windows")
    password, known, book = (tmp_path / name for name in ("password", "known", "book.yaml"))
    password.write_text(PASSWORD)
    known.write_text(windows.pem)
    book.write_text(BOOK)
    way = ("--login", USER, "--port", str(urlsplit(windows.url).port), "--known-hosts", str(known))
    house.run("runbook", "access", "set", "winrm", "--company", "acme", *way, "--password-file", str(password))
    house.run("runbook", "new", "restart-spooler", "--company", "acme", "--from-file", str(book))
    mine = ("restart-spooler", "--company", "acme")
    other.run("runbook", "approve-content", *mine, "--confirm", "restart-spooler")
    ref = acme.alert("spooler_stuck", "win-01")["incident_id"]
    assert "restart-spooler" in house.run("incident", "show", ref).out

    wanted = ("runbook", "run", "restart-spooler", "--incident", ref, "--var", "queue=front")
    ran = house.run(*wanted, "--follow", "--exit-status")
    assert ran.lines[-1] == "RUN-1: succeeded, verified: the host succeeded"
    assert "restarting front" in ran.out
    for where in (ran.out, house.run("runbook", "logs", "RUN-1").out, house.run("runbook", "access", "list").out):
        assert PASSWORD not in where
    assert windows.shells == {}, "none is left open"

    house.run("runbook", "rollback", "RUN-1", "--yes", "--follow", "--exit-status")
    assert house.json("runbook", "status", "RUN-2")["rollback_of"] == "RUN-1"
    house.run("incident", "resolve", ref, "--note", "restarted", "--yes")
    assert house.json("incident", "show", ref)["state"] == "RESOLVED"
