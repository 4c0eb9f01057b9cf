"""The hosts of a run: assets of the incident or of the company, and how each is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from siems.domain.asset import Asset
from siems.domain.run import MOST_HOSTS, RunHost
from siems.domain.runbook_found import Found
from siems.errors import InvalidField
from siems.services.run_access import LOCAL, access
from siems.storage import tables as t
from siems.storage.repositories.assets import asset_from
from siems.vocabulary import AlertStatus, Platform

NOT_HERE = "siems config set executors.local.enabled true"


@dataclass(frozen=True, slots=True)
class Target:
    """A host, with what people should know of it before anything runs."""

    host: RunHost
    address: str
    note: str = ""


def targets(
    connection: Connection, company_id: str, incident_id: int | None, words: Sequence[str], found: Found, executor: str,
    *, local: bool,
) -> list[Target]:  # fmt: skip
    """Where it would run, in the order that was asked for. Raises InvalidField for a host that is not the company's,
    cannot be reached, or runs nothing that the runbook is for."""
    if executor == LOCAL:
        _local_allowed(found, allowed=local)
    assets = _named(connection, company_id, words) if words else _of_incident(connection, company_id, incident_id)
    if len(assets) > MOST_HOSTS:
        raise InvalidField(f"{len(assets)} hosts are more than the {MOST_HOSTS} of one run", hint="--host NAME ...")
    return [_target(connection, asset, place, found, executor) for place, asset in enumerate(assets, 1)]


def _local_allowed(found: Found, *, allowed: bool) -> None:
    if not allowed:
        raise InvalidField("runs on the daemon's own machine are off", hint=NOT_HERE)
    if not found.local_allowed:
        raise InvalidField(
            f"{found.runbook.name} is not one that ships with siems: only those may run on the daemon's own machine",
            hint="--executor ssh",
        )


def _target(connection: Connection, asset: Asset, place: int, found: Found, executor: str) -> Target:
    platform, note = _platform(asset, found, executor)
    way, how = access(connection, asset, executor)
    host = RunHost(name=asset.name, position=place, platform=platform, executor=way)
    return Target(host, _address(asset, way, how), note)


def _platform(asset: Asset, found: Found, executor: str) -> tuple[Platform, str]:
    takes = found.runbook.platforms
    if executor == LOCAL:
        platform, note = Platform.LINUX, "on the daemon's own machine"
    elif asset.platform:
        platform, note = Platform(asset.platform), ""
    else:
        platform = takes[0] if len(takes) == 1 else Platform.LINUX
        note = f"its platform is not known, taken for {platform.value}"
    if platform not in takes:
        raise InvalidField(
            f"{found.runbook.name} is for {', '.join(takes)}, and {asset.name} is {platform.value}",
            hint=f"siems asset edit {asset.name} --platform ...  where that is wrong",
        )
    return platform, note


def _address(asset: Asset, executor: str, how: Mapping[str, str]) -> str:
    """Where it goes, for people."""
    if executor == LOCAL:
        return "this machine"
    where = asset.instance_id if executor == "ssm" else (asset.addresses[0] if asset.addresses else asset.name)
    login = f"{how['username']}@" if how.get("username") else ""
    port = f":{how['port']}" if how.get("port") else ""
    return f"{login}{where}{port}"


# --- which assets ----------------------------------------------------------------------------------------------


def _named(connection: Connection, company_id: str, words: Sequence[str]) -> list[Asset]:
    """By name, address or instance id, each once. Raises InvalidField naming those that are not the company's."""
    found: dict[str, Asset] = {}
    strange = []
    for word in dict.fromkeys(word.strip() for word in words if word.strip()):
        asset = _find(connection, company_id, word)
        if asset is None:
            strange.append(word)
        else:
            found.setdefault(asset.name, asset)
    if strange:
        company = company_id.removeprefix("comp-")
        raise InvalidField(
            f"{', '.join(word[:64] for word in strange[:5])}{' ...' if len(strange) > 5 else ''}:"
            f" {company} has no such asset, so nothing was asked for",
            hint=f"siems asset list --company {company}",
        )
    if not found:
        raise InvalidField("a run needs hosts", hint="--host web-1, or --incident INC-12")
    return list(found.values())


def _find(connection: Connection, company_id: str, word: str) -> Asset | None:
    a = t.asset.c
    given = (a.name == word, func.lower(a.name) == word.lower(), a.instance_id == word)
    for where in (*given, a.addresses.contains(f'"{word}"', autoescape=True)):
        rows = connection.execute(
            select(t.asset).where(a.company_id == company_id, where).order_by(a.name).limit(2)
        ).all()  # fmt: skip
        if len(rows) == 1:
            return asset_from(rows[0])
        if rows:
            raise InvalidField(f"{word[:64]} is more than one asset: {rows[0].name}, {rows[1].name}", hint="its name")
    return None


def _of_incident(connection: Connection, company_id: str, incident_id: int | None) -> list[Asset]:
    """The assets with an active alert of the incident; once all have recovered, all of its assets."""
    if incident_id is None:
        raise InvalidField("a run needs hosts", hint="--host web-1, or --incident INC-12")
    alerts, a = t.alert.c, t.asset.c
    for where in (alerts.status == AlertStatus.ACTIVE.value, alerts.incident_id == incident_id):
        names = (
            select(alerts.asset_name)
            .where(alerts.company_id == company_id, alerts.incident_id == incident_id, where)
            .distinct()
        )
        rows = connection.execute(
            select(t.asset).where(a.company_id == company_id, a.name.in_(names)).order_by(a.name)
        ).all()  # fmt: skip
        if rows:
            return [asset_from(row) for row in rows]
    raise InvalidField(f"INC-{incident_id} has no asset that is in the inventory", hint="--host NAME")
