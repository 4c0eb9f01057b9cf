"""Runs scripts over SSH: nothing is installed there, and a host whose key is not known is not spoken to.

A script goes to `sh -s` by its input, its values as quoted lines before it: servers refuse to take an environment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from siems.config import Settings
from siems.errors import InvalidField
from siems.executors import Ended, Heard, Host, Outcome, Script
from siems.executors.ssh_talk import carry_out, said

CONNECT_SECONDS = 15.0
ALIVE_SECONDS = 15


class Ssh:
    """One connection for each script and host. `access`: username, port, known_hosts, private_key or password."""

    name = "ssh"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check(self, host: Host) -> None:
        for name, flag in (("username", "--login NAME"), ("known_hosts", "--known-hosts FILE")):
            if not host.access.get(name, "").strip():
                raise InvalidField(
                    f"{host.name}: ssh needs {name.replace('_', ' ')}", hint=f"siems runbook access set ssh {flag}"
                )
        if not (host.access.get("private_key") or host.access.get("password")):
            raise InvalidField(
                f"{host.name}: ssh needs a key or a password", hint="siems runbook access set ssh --key-file FILE"
            )

    async def run(self, script: Script, hosts: Sequence[Host], heard: Heard) -> None:
        await asyncio.gather(*(self._run(script, host, heard) for host in hosts))

    async def close(self) -> None:
        return None

    async def _run(self, script: Script, host: Host, heard: Heard) -> None:
        try:
            self.check(host)
            options = _options(host)
        except InvalidField as why:
            heard(Outcome(host.name, Ended.UNREACHABLE, None, why.message))
            return
        try:
            heard(await _walk(script, host, options, heard))
        except asyncio.CancelledError:
            heard(Outcome(host.name, Ended.CANCELLED, None, "stopped"))
            raise


async def _walk(script: Script, host: Host, options: Mapping[str, Any], heard: Heard) -> Outcome:
    import asyncssh

    problems = []
    for address in host.addresses or (host.name,):
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await asyncssh.connect(address, **_for(address, host, options))
        except asyncssh.HostKeyNotVerifiable:
            problems.append(f"{address}: its key is not among the known hosts, so nothing was sent")
            continue
        except asyncssh.PermissionDenied:
            problems.append(f"{address}: {options['username']} is not let in")
            continue
        except TimeoutError:
            problems.append(f"{address}: no answer within {CONNECT_SECONDS:g} s")
            continue
        except (OSError, asyncssh.Error) as why:
            problems.append(f"{address}: {said(why)}")
            continue
        async with connection:
            return await carry_out(connection, script, host, heard)
    return Outcome(host.name, Ended.UNREACHABLE, None, "; ".join(problems)[:1_000])


def _options(host: Host) -> dict[str, Any]:
    """What every connection is told. Raises InvalidField for a key or a list that cannot be read."""
    import asyncssh

    access = host.access
    try:
        known = asyncssh.import_known_hosts(access["known_hosts"])
        keys = []
        if access.get("private_key"):
            keys.append(asyncssh.import_private_key(access["private_key"], access.get("passphrase") or None))
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as why:
        raise InvalidField(f"{host.name}: the key or the known hosts cannot be read ({said(why)})") from why
    return {
        "username": access["username"], "port": int(access.get("port") or 22), "known_hosts": known,
        "client_keys": keys or None, "password": access.get("password") or None, "agent_path": None, "config": None,
        "keepalive_interval": ALIVE_SECONDS, "login_timeout": CONNECT_SECONDS, "host_based_auth": False,
        "gss_auth": False, "gss_kex": False,
    }  # fmt: skip


def _for(address: str, host: Host, options: Mapping[str, Any]) -> dict[str, Any]:
    """With the asset's name in place of the address where only that is among the known hosts."""
    known, port = options["known_hosts"], options["port"]
    if any(known.match(address, address, port)) or not any(known.match(host.name, "", port)):
        return dict(options)
    return {**options, "host_key_alias": host.name}
