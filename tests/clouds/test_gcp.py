"""Scripts on machines of Google, which machines can be reached and what a service account may do, by its REST."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from executors.sshd import KEY, STRANGER, Sshd, serving
from providers import RESET, Trouble
from siems.clouds.gcp import PERMISSIONS, Project, commands, parted
from siems.domain.cloud import CloudKind, kind_of_instance, service_account
from siems.domain.runbook import Shell
from siems.errors import Conflict, InvalidField, Unavailable
from siems.executors import Ended, Host, Outcome, Output, Script, registry
from siems.executors.gcp import Gcp
from siems.vocabulary import Platform

from .google import CANARY, KEY_FILE, MAIL, PROJECT, ZONE, Google, Vm
from .test_ssm import Ears

LOGIN, SECRET = service_account(KEY_FILE, PROJECT)
ACCESS = {"project": PROJECT, "login": LOGIN, "secret": SECRET}
HOST_KEY = KEY.export_public_key().decode()


@pytest.fixture
def google() -> Iterator[Google]:
    with Google() as made:
        yield made


@pytest_asyncio.fixture
async def sshd(google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sshd]:
    """A server that lets in whom OS Login knows, with a sudo that asks nothing."""
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\n[ "$1" = -n ] || exit 1\nshift\nSIEMS_ROOT=yes exec "$@"\n')
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    async with serving() as found:
        found.keys = google.knows
        yield found


def vm(google: Google, sshd: Sshd, name: str = "web-1", **more: Any) -> Vm:
    return google.vm(name, **({"port": sshd.port, "host_keys": [HOST_KEY]} | more))


def host(one: Vm, **more: Any) -> Host:
    given = {"name": one.name, "platform": Platform.LINUX, "instance_id": f"{one.zone}/{one.name}", "access": ACCESS}
    return Host(**(given | more))


def script(text: str, *, seconds: float = 20, **more: Any) -> Script:
    return Script(**({"key": "RUN-1:1", "shell": Shell.SH, "text": text, "timeout": timedelta(seconds=seconds)} | more))


async def run(google: Google, what: Script, *hosts: Host) -> Ears:
    ears, executor = Ears(), Gcp(google.settings(), wait=0.02)
    await asyncio.wait_for(executor.run(what, hosts, ears), 60)
    await executor.close()
    assert set(ears.ends) == {h.name for h in hosts}
    return ears


async def test_it_runs_as_root_through_the_proxy_and_leaves_no_key_behind(google: Google, sshd: Sshd) -> None:
    assert registry.get("gcp") is Gcp
    vms = [vm(google, sshd, f"web-{n}") for n in range(3)]
    what = script('echo "at $SIEMS_LIMIT, root: $SIEMS_ROOT"; echo oops >&2', values={"SIEMS_LIMIT": "9'0 $(id)"})
    ears = await run(google, what, *map(host, vms))
    assert {(e.ended, e.exit_code) for e in ears.ends.values()} == {(Ended.SUCCEEDED, 0)}
    assert ears.out("web-1") == "at 9'0 $(id), root: yes\n"
    assert ears.out("web-1", error=True) == "oops\n"
    paths = [seen.path.split("?")[0] for seen in google.seen]
    assert paths.count("/token") == 1, "a token is taken once"
    assert sum(path.endswith(":importSshPublicKey") for path in paths) == 1, "and a key made known once"
    assert google.keys == {}


async def test_a_failure_has_its_exit_code_a_late_one_is_ended_and_much_output_comes_whole(
    google: Google, sshd: Sshd
) -> None:
    one = vm(google, sshd)
    [end] = (await run(google, script("exit 7"), host(one))).ends.values()
    assert (end.ended, end.exit_code) == (Ended.FAILED, 7)
    [end] = (await run(google, script("sleep 60", seconds=1), host(one))).ends.values()
    assert end.ended is Ended.TIMED_OUT
    ears = await run(google, script("seq 1 60000"), host(one))
    assert ears.out("web-1") == "".join(f"{n}\n" for n in range(1, 60_001))
    assert google.acks, "what was received is said to the proxy"
    assert google.acks == sorted(google.acks)


async def test_output_trickles_and_a_cancelled_run_is_stopped_there(google: Google, sshd: Sshd, tmp_path: Path) -> None:
    ears, executor, begun = Ears(), Gcp(google.settings(), wait=0.02), asyncio.Event()

    def hear(told: Output | Outcome) -> None:
        ears(told)
        begun.set()

    text = f"trap 'touch {tmp_path}/ended; exit 1' TERM; echo begun; while :; do sleep 0.05; done"
    task = asyncio.ensure_future(executor.run(script(text), [host(vm(google, sshd))], hear))
    await asyncio.wait_for(begun.wait(), 30)
    assert ears.out("web-1") == "begun\n"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await executor.close()
    assert ears.ends["web-1"].ended is Ended.CANCELLED
    assert (tmp_path / "ended").exists()


async def test_what_does_not_get_there_is_told_with_its_reason_and_nothing_is_sent(google: Google, sshd: Sshd) -> None:
    off, windows = vm(google, sshd, "off", status="TERMINATED"), vm(google, sshd, "win", windows=True)
    silent, shut = vm(google, sshd, "silent", host_keys=[]), vm(google, sshd, "shut", port=0)
    other = vm(google, sshd, "other", host_keys=[STRANGER.export_public_key().decode()])
    stranger = host(other, name="stranger", instance_id=f"projects/beta-prod/zones/{ZONE}/instances/other")
    ears = await run(google, script("true"), *map(host, (off, windows, silent, shut, other, Vm("gone"))), stranger)
    told = {name: end.detail for name, end in ears.ends.items()}
    assert {end.ended for end in ears.ends.values()} == {Ended.UNREACHABLE}
    for name, words in {
        "off": "it is terminated", "win": "OS Login is for Linux", "silent": "enable-guest-attributes",
        "shut": "35.235.240.0/20", "other": "not the one that its guest agent has told", "gone": "not found",
        "stranger": "not in this project",
    }.items():  # fmt: skip
        assert words in told[name], told
    assert sshd.commands == []


async def test_who_is_not_let_in_is_told_so(google: Google, sshd: Sshd) -> None:
    one = vm(google, sshd)
    sshd.keys = lambda user, key: False
    [end] = (await run(google, script("true"), host(one))).ends.values()
    assert "is not let in (is enable-oslogin TRUE there?)" in end.detail
    google.closes = (4033, "not authorized")
    [end] = (await run(google, script("true"), host(one))).ends.values()
    assert "4033 not authorized (roles/iap.tunnelResourceAccessor)" in end.detail
    google.believed = False
    [end] = (await run(google, script("true"), host(one))).ends.values()
    assert "Invalid JWT Signature" in end.detail
    assert CANARY not in end.detail
    assert sshd.commands == []


LIMIT = Trouble(status=429, headers={"Retry-After": "0"}, body={"error": {"status": "RESOURCE_EXHAUSTED"}})
DOWN = Trouble(status=503, body="upstream")


async def test_throttling_and_broken_connections_are_waited_out_and_run_nothing_twice(
    google: Google, sshd: Sshd
) -> None:
    google.then(Trouble(), LIMIT, Trouble(), RESET, LIMIT, DOWN)  # token, key twice, machine three times and more
    [end] = (await run(google, script("echo once"), host(vm(google, sshd)))).ends.values()
    assert end.ended is Ended.SUCCEEDED
    assert len([c for c in sshd.commands if "exec" in c]) == 1


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Trouble(status=403), "refuses: 403 (roles/iap"), (Trouble(status=401), "refuses: 401"),
        (Trouble(status=429), "answered 429"), (Trouble(status=503), "answered 503"),
    ],
)  # fmt: skip
async def test_a_proxy_that_fails_is_told_as_such(google: Google, sshd: Sshd, trouble: Trouble, words: str) -> None:
    one = vm(google, sshd)
    google.then(Trouble(), Trouble(), Trouble(), Trouble(), trouble)
    [end] = (await run(google, script("true"), host(one))).ends.values()
    assert (end.ended, sshd.commands) == (Ended.UNREACHABLE, [])
    assert words in end.detail


async def test_a_proxy_that_is_slow_is_not_waited_for_for_ever(
    google: Google, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("siems.clouds.iap.SECONDS", 0.3)
    one = vm(google, sshd)
    google.then(Trouble(), Trouble(), Trouble(), Trouble(), Trouble(hold=True))
    [end] = (await run(google, script("true"), host(one))).ends.values()
    assert (end.ended, sshd.commands) == (Ended.UNREACHABLE, [])
    assert "has not reached the machine in time" in end.detail


@pytest.mark.parametrize("value", ["{{ssm:x}}", "a\nb", "\x1b[2J"])
async def test_values_that_must_not_go_there_go_nowhere(google: Google, value: str) -> None:
    ears = await run(google, script("true", values={"SIEMS_X": value}), host(Vm("web-1")))
    assert ears.ends["web-1"].ended is Ended.FAILED
    assert google.seen == []


# --- machines and rights ---------------------------------------------------------------------------------------


async def test_every_machine_with_whether_it_can_be_reached_over_several_pages(google: Google) -> None:
    for name, more in {
        "web-1": {"host_keys": [HOST_KEY]}, "web-2": {}, "web-3": {"metadata": {"enable-oslogin": "FALSE"}},
        "win-1": {"windows": True}, "off-1": {"status": "TERMINATED"},
    }.items():  # fmt: skip
        google.vm(name, **more)
    there = Project(google.settings().gcp, ACCESS, wait=0.01)
    found = {m.name: m for m in await there.machines()}
    google.metadata = {"enable-oslogin": "TRUE"}
    shut = {m.name: m.cause for m in await there.machines()}
    await there.close()
    assert {name: (m.agent, m.state) for name, m in found.items()} == {
        "web-1": ("online", "running"), "web-2": ("", "running"), "web-3": ("", "running"), "win-1": ("", "running"),
        "off-1": ("", "stopped"),
    }  # fmt: skip
    assert found["web-1"].id == f"{ZONE}/web-1"
    assert "no host keys" in found["web-2"].cause
    assert "OS Login is off" in found["web-3"].cause
    assert "WinRM" in found["win-1"].cause
    assert "guest attributes are off" in shut["web-1"]


async def test_a_check_names_what_is_missing(google: Google) -> None:
    there = Project(google.settings().gcp, ACCESS, wait=0.01)
    assert [f.ok for f in await there.check()] == [True] * (1 + len(PERMISSIONS))
    google.permissions.remove("iap.tunnelInstances.accessViaIAP")
    assert [f.right for f in await there.check() if not f.ok] == ["iap.tunnelInstances.accessViaIAP"]
    google.then(Trouble(status=403, body={"error": {"status": "PERMISSION_DENIED", "message": "API is disabled"}}))
    [_, shut] = await there.check()
    assert (shut.ok, "API is disabled" in shut.cause) == (False, True)
    await there.close()
    google.believed = False
    again = Project(google.settings().gcp, ACCESS, wait=0.01)
    [found] = await again.check()
    assert (found.right, found.ok) == ("login", False)
    google.then(*[DOWN] * 2)
    with pytest.raises(Unavailable):
        await again.machines()
    await again.close()
    with pytest.raises(Conflict, match="secret"):
        Project(google.settings().gcp, {"project": PROJECT})


def test_of_a_key_file_only_name_and_key_are_believed() -> None:
    assert f"siems-acme@{PROJECT}" == LOGIN
    assert MAIL in SECRET
    assert "token_uri" not in SECRET
    for text in ("", "[]", "{}", '{"type": "authorized_user"}', KEY_FILE.replace(MAIL, "eve@evil.example"),
                 KEY_FILE.replace("PRIVATE KEY-----", "CERTIFICATE-----")):  # fmt: skip
        with pytest.raises(InvalidField, match="key file"):
            service_account(text, PROJECT)


@pytest.mark.parametrize(
    "text",
    ["web-1", "a/b/c", "europe-west1/web-1", f"{ZONE}/../x", f"{ZONE}/web-1\n", f"projects/x/zones/{ZONE}/web-1"],
)
def test_what_is_no_machine(text: str) -> None:
    with pytest.raises(InvalidField):
        parted(text, "x")


def test_a_machine_by_its_whole_id_or_in_short_and_whose_it_looks_like() -> None:
    whole = f"projects/{PROJECT}/zones/{ZONE}/instances/web-1"
    assert parted(whole, PROJECT) == parted(f"{ZONE}/web-1") == (ZONE, "web-1")
    assert {kind_of_instance(text) for text in (whole, f"{ZONE}/web-1")} == {CloudKind.GCP}
    assert kind_of_instance("rg-web/vm-01") is CloudKind.AZURE
    assert kind_of_instance("i-0123456789abcdef0") is CloudKind.AWS


def test_what_is_typed_over_there_names_every_role() -> None:
    told = "\n".join(commands(PROJECT, "siems-acme", "key.json"))
    for role in ("compute.viewer", "compute.osAdminLogin", "iap.tunnelResourceAccessor"):
        assert f"--member serviceAccount:{MAIL} --role roles/{role}" in told
    assert "owner" not in told
    assert "editor" not in told
