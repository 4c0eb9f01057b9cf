"""How siems comes into a client's cloud: a role, a check, which machines answer and how they are patched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clouds.fleet import Fleet, a_fleet
from clouds.microsoft import LOGIN, SECRET, SUBSCRIPTION, TENANT, Microsoft
from house import House

ACCOUNT = "123456789012"


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    folder = tmp_path / "fleet"
    folder.mkdir()
    with a_fleet(folder) as made:
        yield made


def test_from_nothing_to_a_fleet_that_answers(prepared: Callable[..., House], fleet: Fleet, tmp_path: Path) -> None:
    house = prepared(
        SIEMS_AWS_ENDPOINT_URL=fleet.url, AWS_ENDPOINT_URL=fleet.url, AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing", AWS_EC2_METADATA_DISABLED="true", SIEMS_AWS_BUCKET="msp-templates",
        AWS_DEFAULT_REGION="eu-west-1",
    ).up()  # fmt: skip
    house.onboard("Acme Corp")
    fleet.client("s3").create_bucket(
        Bucket="msp-templates", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )

    # before anything is set up each command says what to type
    assert "siems company aws setup acme" in house.run("company", "aws", "check", "acme", exit=3).err
    assert "--account" in house.run("company", "aws", "setup", "acme", exit=2).err
    wanted = ("company", "aws", "setup", "acme", "--account", ACCOUNT, "--region", "eu-west-1")
    assert "would be set up" in house.run(*wanted, "--dry-run").out
    assert house.run("company", "aws", "list").out == ""

    # a link that holds everything, and the same as a template
    told = house.json(*wanted)
    account = told["account"]
    assert "quickcreate?templateURL=http" in told["link"]
    assert f"param_ExternalId={account['external_id']}" in told["link"]
    template = json.loads(house.run(*wanted, "--template").out)
    assert json.loads(told["template"]) == template
    role = template["Resources"]["Role"]["Properties"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == {
        "StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}
    }
    assert template["Parameters"]["ExternalId"]["Default"] == account["external_id"]
    assert "*" not in [a for s in role["Policies"][0]["PolicyDocument"]["Statement"] for a in s["Action"]]
    text = house.run(*wanted).out
    assert account["external_id"] in text
    assert "siems company aws check acme" in text

    # nobody has deployed it: the role lets nobody in, and siems says so
    fleet.roles[account["role_arn"]] = "somebody else's"
    refused = house.run("company", "aws", "check", "acme", exit=9)
    assert refused.rows[0][1:3] == ["MISSING", "sts:AssumeRole"]
    # with the credentials of the client's account in the shell it is one more flag
    wrong = house.run("company", "aws", "setup", "acme", "--account", "111122223333", "--deploy", "--yes", exit=6)
    assert "not the account 111122223333" in wrong.err
    assert "created" in house.run(*wanted, "--deploy", "--yes").out
    assert fleet.client("iam").get_role(RoleName="siems-access")["Role"]["Arn"] == account["role_arn"]
    assert "updated" in house.run(*wanted, "--deploy", "--yes").out
    assert "removed" in house.run("company", "aws", "remove", "acme-aws-2", "--yes").out
    fleet.roles[account["role_arn"]] = account["external_id"]

    # right by right
    fleet.denied = {"ssm:SendCommand AWS-RunPowerShellScript", "ssm:DescribeInstancePatchStates"}
    checked = house.json("company", "aws", "check", "acme", "--account", ACCOUNT, exit=9)
    assert [f["right"] for f in checked[0]["findings"] if not f["ok"]] == [
        "ssm:DescribeInstancePatchStates", "ssm:SendCommand AWS-RunPowerShellScript",
    ]  # fmt: skip
    fleet.denied = set()
    assert {row[1] for row in house.run("company", "aws", "check", "acme").rows} == {"yes"}
    assert house.run("company", "aws", "list").rows[0][4] == "ok"
    assert {given for _, given in fleet.assumed} == {account["external_id"]}, "never without it"
    assert not fleet.commands, "checking runs nothing"


def test_which_machines_answer_and_why_the_others_do_not(
    prepared: Callable[..., House], fleet: Fleet, tmp_path: Path
) -> None:
    house = prepared(
        SIEMS_AWS_ENDPOINT_URL=fleet.url, AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing",
        AWS_EC2_METADATA_DISABLED="true",
    ).up()  # fmt: skip
    house.onboard("Acme Corp").alert(asset="laptop-7")
    account = house.json(
        "company", "aws", "setup", "acme", "--account", ACCOUNT, "--region", "eu-west-1"
    )["account"]  # fmt: skip
    fleet.roles[account["role_arn"]] = account["external_id"]
    ids = {name: made["InstanceId"] for name, made in zip(
        ("web-01", "web-02", "web-03", "web-04", "db-01"), fleet.run("web-01", "web-02", "web-03", "web-04", "db-01"),
        strict=True,
    )}  # fmt: skip
    fleet.agent(ids["web-01"], patches={"MissingCount": 3, "CriticalNonCompliantCount": 2, "InstalledCount": 40})
    fleet.agent(ids["web-02"], ping="ConnectionLost", patches={"MissingCount": 0, "InstalledCount": 50})
    fleet.agent(ids["db-01"])
    fleet.client("ec2").stop_instances(InstanceIds=[ids["web-04"]])
    house.run("asset", "import", "--aws", "--company", "acme", "--region", "eu-west-1", "--yes")
    fleet.run("newcomer")

    found = {a["asset"]: a for a in house.json("asset", "list", "--agent", "--company", "acme")}
    assert {name: a["answers"] for name, a in found.items()} == {
        "web-01": "yes", "web-02": "silent", "web-03": "no agent", "web-04": "stopped", "db-01": "yes",
        "laptop-7": "unknown",
    }  # fmt: skip
    assert "since 2026-02-02" in found["web-02"]["why"]
    assert found["laptop-7"]["fix"].startswith("siems asset import --aws")
    told = house.run("asset", "list", "--agent")
    assert "2 of 6 answer; 1 more are in the accounts" in told.err
    assert "acme-aws: AWS refuses" not in told.err

    # patches: the worst first; what was never looked at is not called compliant
    patched = house.run("company", "aws", "patches", "acme", exit=9)
    assert {row[0]: row[1:4] for row in patched.rows} == {
        "web-01": ["NO", "3", "2"], "web-02": ["yes", "0", "0"], "db-01": ["unknown", "0", "0"],
    }  # fmt: skip
    assert patched.rows[0][:2] == ["web-01", "NO"]
    assert "1 compliant, 1 not, 1 never looked at" in patched.err

    # how an agent would get to the others; nothing is promised that cannot be done from here
    plan = house.json("asset", "install-agent", "--company", "acme", "--dry-run", exit=9)
    by = {step["asset"]: (step["path"], step["why"]) for step in plan}
    assert by["web-04"][0] == "none"
    assert "instance profile" in by["web-04"][1]
    assert "--hybrid" in by["laptop-7"][1]
    assert "web-01" not in by
    user_data = house.run("asset", "install-agent", "--company", "acme", "--print", "user-data").out
    assert user_data.startswith("#!/bin/sh\nSIEMS_REGION=eu-west-1\n")

    # when the role is closed, the list says so and does not pretend
    fleet.roles[account["role_arn"]] = "changed"
    shut = house.run("asset", "list", "--agent", "--company", "acme")
    assert "sts:AssumeRole" in shut.err
    assert {row[2] for row in shut.rows} == {"unknown"}


def test_a_subscription_of_azure(prepared: Callable[..., House], tmp_path: Path) -> None:
    with Microsoft() as microsoft:
        house = prepared(SIEMS_AZURE_AUTHORITY=microsoft.url, SIEMS_AZURE_ENDPOINT=microsoft.url).up()
        house.onboard("Acme Corp")
        wanted = ("company", "azure", "setup", "acme", "--account", SUBSCRIPTION)
        steps = house.run(*wanted).out
        assert f"--scopes /subscriptions/{SUBSCRIPTION}" in steps
        role = json.loads(house.run(*wanted, "--template").out)
        assert role["AssignableScopes"] == [f"/subscriptions/{SUBSCRIPTION}"]
        # nothing is asked before there is a secret, and then it is never shown
        assert "no credentials yet" in house.run("company", "azure", "check", "acme", exit=6).err
        assert microsoft.seen == []
        secret = tmp_path / "secret"
        secret.write_text(f"{SECRET}\n")
        told = house.run(*wanted, "--tenant", TENANT, "--login", LOGIN, "--secret-file", str(secret), "--json").out
        assert SECRET not in told + house.run("company", "azure", "list", "--json").out
        microsoft.not_rights = ["*/runCommands/delete"]
        lacking = house.run("company", "azure", "check", "acme", exit=9).rows
        assert [row[2] for row in lacking if row[1] == "MISSING"] == [
            "Microsoft.Compute/virtualMachines/runCommands/delete"
        ]
        microsoft.not_rights = []
        assert {row[1] for row in house.run("company", "azure", "check", "acme").rows} == {"yes"}

        microsoft.vm("vm-1")
        microsoft.vm("vm-2", agent="Not Ready")
        for name in ("vm-1", "vm-2"):
            facts = ("--instance-id", f"rg-web/{name}", "--cloud-account", SUBSCRIPTION)
            house.run("asset", "create", name, "--company", "acme", *facts)
        found = {a["asset"]: (a["answers"], a["why"]) for a in house.json("asset", "list", "--agent")}
        assert found == {"vm-1": ("yes", ""), "vm-2": ("silent", "not heard of")}
        # a new secret over there: the list says so and does not pretend
        microsoft.secret = "another"
        shut = house.run("asset", "list", "--agent", "--company", "acme")
        assert "Invalid client secret" in shut.err
        assert {row[2] for row in shut.rows} == {"unknown"}
