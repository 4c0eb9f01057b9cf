"""`siems company`: clients, and all that a new one needs."""

from __future__ import annotations

from typing import Annotated

import typer

from siems import errors
from siems.cli.cloud import GROUPS
from siems.cli.context import Door, leaf, new_app
from siems.cli.secrets import Expires, Networks, SecretsFile
from siems.cli.show import Column, Item, at, field, show_list, show_one, when
from siems.cli.sla_policy import Holidays, Hours, Tier, Zone, plan, targets

app = new_app("Companies: onboard, list, show, edit, keys, rotate-key, revoke-key, test; aws, azure, gcp.")
for _cloud, _group in GROUPS.items():
    app.add_typer(_group, name=_cloud)

Ref = Annotated[str, typer.Argument(help="acme, comp-acme or the name")]
RATE_HELP = (
    "alerts per minute: 600/min. Tools that repeat only on 5xx may send ingest.native_rate_per_minute in any case"
)
CORRELATES = "alerts of one cause become one incident; without it each has one of its own"
RESOLVES = "what has recovered resolves by itself, after the quiet delay"
COLUMNS = (
    field("ID", "id"),
    field("NAME", "name", grows=True),
    Column("OPEN", lambda c: c["open_incidents"]),
    Column("BREACHED", lambda c: c["breached"]),
    Column("RATE", lambda c: f"{c['rate_per_minute']}/min", drop=1),
    Column("STRATEGY", lambda c: c["correlation"]["strategy"], drop=2),
    when("LAST ALERT", "last_alert_at"),
)


@app.command()
@leaf
def onboard(
    door: Door,
    name: Annotated[str, typer.Argument(help="the client's name")],
    slug: Annotated[str, typer.Option("--slug", help="short name for ids and commands")] = "",
    rate: Annotated[str, typer.Option("--rate", help=RATE_HELP)] = "",
    policy: Annotated[str | None, typer.Option("--policy", help="escalation policy; else default")] = None,
    sla: Tier = None,
    tz: Zone = None,
    hours: Hours = None,
    holidays: Holidays = None,
    auth: Annotated[str, typer.Option("--auth", help="hmac: signed requests; key: the key alone lets in")] = "hmac",
    allow_cidr: Networks = None,
    key_expires: Expires = "",
    secrets_file: SecretsFile = "",
) -> None:
    """A new client: id, key, secret, URL, and a curl line to try it. Secrets are shown once.

    siems company onboard "Fjord Media" --sla silver --tz Europe/Oslo --secrets-file fjord.env
    siems company onboard "Fjord Media" --secrets-file fjord.env --allow-cidr 192.0.2.0/24 --key-expires 365d
    """
    from siems.cli.keys import ending
    from siems.cli.secrets import unsaid, variables, written_to

    ask = {
        "name": name, "slug": slug, "rate_per_minute": parse_rate(rate), "sla": sla, "time_zone": tz, "hours": hours,
        "holidays": holidays, "policy": policy, "auth": auth, "networks": allow_cidr or None,
        "expires_at": ending(key_expires),
    }  # fmt: skip
    if not secrets_file or door.dry_run or (secrets_file == "-" and door.json):
        made = door.client.onboard(**ask)
        show_one(door, unsaid(made) if door.dry_run else made, _welcome, id="company_id")
        return
    with written_to(secrets_file) as out:
        made = door.client.onboard(**ask)
        out.write(variables(made))
    if secrets_file == "-":
        return
    show_one(door, {**unsaid(made), "secrets_file": secrets_file}, _welcome, id="company_id")


def parse_rate(text: str) -> int | None:
    """600 from `600/min`; `10/s` is 600. Raises UsageError."""
    if not text:
        return None
    number, _, unit = text.partition("/")
    factor = {"min": 1, "m": 1, "s": 60, "sec": 60, "h": 1 / 60}.get(unit)
    if not number.isdigit() or factor is None:
        raise errors.UsageError(f"{text!r} is no rate", hint="write it like 600/min")
    return max(1, int(int(number) * factor))


def _welcome(made: Item) -> list[str]:
    from siems.cli.ways import SIGNED, UNSIGNED
    from siems.present import safe

    c = made["correlation"]
    lines = [
        f"{safe(made['name'])} {'is ready' if 'api_key' in made or 'secrets_file' in made else 'would be ready'}.",
        "",
        f"  company id    {made['company_id']}",
        f"  webhook URL   {made['webhook_url']}",
    ]
    if "api_key" in made:
        lines += [
            f"  API key       {made['api_key']}",
            *([f"  HMAC secret   {made['hmac_secret']}"] if made["hmac_secret"] else []),
            "                (shown this once: the key is kept as a hash, the secret encrypted)"
            if made["hmac_secret"]
            else "                (shown this once: it is kept as a hash)",
        ]
    else:
        lines.append(f"  secrets       {made.get('secrets_file', 'made when it is no dry run')}")
    lines += [
        f"  rate limit    {made['rate_per_minute']}/min, burst {made['burst']}",
        f"  correlation   {c['strategy']}, window {c['window_minutes']} min, minimum {c['min_alerts']}",
        f"  SLA           {plan(made['sla_plan'])}",
    ]
    if "api_key" in made:
        form = SIGNED if made["hmac_secret"] else UNSIGNED
        example = form.format(secret=made["hmac_secret"], url=made["webhook_url"], key=made["api_key"])
        lines += ["", "try it:", "", *example.splitlines()]
    return lines


@app.command("list")
@leaf
def list_(door: Door) -> None:
    """Every client that you may see."""
    show_list(door, door.client.companies(), COLUMNS)


@app.command()
@leaf
def show(door: Door, ref: Ref) -> None:
    """One client with its settings."""
    show_one(door, door.client.company(ref), _card)


def _card(c: Item) -> list[str]:
    from siems.present import safe

    k = c["correlation"]
    lines = [
        f"{safe(c['name'])} ({c['id']})   {c['open_incidents']} open, {c['breached']} breached",
        f"last alert {at(c['last_alert_at']) if c['last_alert_at'] else 'never'}",
        f"rate {c['rate_per_minute']}/min, burst {c['burst']}"
        + (", paging in shadow: nobody is told" if c["paging"] == "shadow" else ""),
        f"correlation {'on' if k['enabled'] else 'off'}, {k['strategy']}, window {k['window_minutes']} min,"
        f" minimum {k['min_alerts']}, quiet {k['quiet_minutes']} min, reopen {k['reopen_minutes']} min,"
        f" close after {k['close_hours']} h",
        f"status updates of CRITICAL incidents every {c['update_minutes']} min"
        if c["update_minutes"]
        else "nobody is reminded of status updates",
    ]
    lines.append(f"escalation policy {c['policy']}")
    if c["oncall"]:
        lines.append(f"on call by {safe(c['oncall'])}:  siems oncall who --company {c['id'].removeprefix('comp-')}")
    lines.append(f"what opens is assigned {'by hand' if c['assign'] == 'manual' else 'by ' + safe(c['assign'])}")
    lines.append(f"advice {c['advice']}" + (", which may lower a severity by itself" if c["advice_lowers"] else ""))
    return [*lines, plan(c["sla_plan"]), *targets(c["sla"], c["sla_plan"]["own_targets"])]


@app.command()
@leaf
def edit(
    door: Door,
    ref: Ref,
    name: Annotated[str | None, typer.Option("--name", help="another name; the id stays")] = None,
    rate: Annotated[str, typer.Option("--rate", help=RATE_HELP)] = "",
    burst: Annotated[int | None, typer.Option("--burst", help="so many at once before the rate counts")] = None,
    correlation: Annotated[bool | None, typer.Option("--correlation/--no-correlation", help=CORRELATES)] = None,
    strategy: Annotated[
        str | None, typer.Option("--strategy", help="auto, asset|signature, asset|signature|tool, signature, asset")
    ] = None,
    window: Annotated[str | None, typer.Option("--window", help="5m to 60m")] = None,
    min_alerts: Annotated[
        int | None, typer.Option("--min-alerts", help="below it an alert waits; CRITICAL never does")
    ] = None,
    quiet_delay: Annotated[str | None, typer.Option("--quiet-delay", help="after the last recovery: 5m")] = None,
    auto_resolve: Annotated[bool | None, typer.Option("--auto-resolve/--no-auto-resolve", help=RESOLVES)] = None,
    reopen: Annotated[str | None, typer.Option("--reopen", help="how long a firing reopens: 30m")] = None,
    close_after: Annotated[str | None, typer.Option("--close-after", help="72h")] = None,
    paging: Annotated[str | None, typer.Option("--paging", help="live; shadow: decide and tell nobody")] = None,
    policy: Annotated[str | None, typer.Option("--policy", help="escalation policy: default, night")] = None,
    oncall: Annotated[
        str | None, typer.Option("--oncall", help="the on-call schedule to go by; none: the default one")
    ] = None,
    sla: Tier = None,
    tz: Zone = None,
    hours: Hours = None,
    holidays: Holidays = None,
    updates: Annotated[
        str | None, typer.Option("--updates-every", help="remind owners of CRITICAL ones after: 60m; 0m never")
    ] = None,
    assign: Annotated[
        str | None,
        typer.Option("--assign", help="who gets what opens: manual, best_match, round_robin, least_loaded, on_call"),
    ] = None,
    advice: Annotated[
        str | None, typer.Option("--advice", help="on; local: nothing leaves this machine; off: nobody is asked")
    ] = None,
    advice_lowers: Annotated[
        bool | None, typer.Option("--advice-lowers/--no-advice-lowers", help="may advice lower a severity by itself")
    ] = None,
) -> None:
    """Change what is given: siems company edit acme --rate 600/min --window 10m"""
    from siems.moments import seconds

    def minutes(text: str | None) -> int | None:
        return None if text is None else (seconds(text) or 0) // 60

    close_hours = None if close_after is None else (minutes(close_after) or 0) // 60
    changed = door.client.edit_company(
        ref, name=name, rate_per_minute=parse_rate(rate), burst=burst, correlation_enabled=correlation,
        strategy=strategy, window_minutes=minutes(window), min_alerts=min_alerts,
        quiet_minutes=minutes(quiet_delay), auto_resolve=auto_resolve, reopen_minutes=minutes(reopen),
        close_hours=close_hours, paging=paging, policy=policy, oncall=oncall, sla=sla, time_zone=tz, hours=hours,
        holidays=holidays, assign=assign, update_minutes=minutes(updates),
        advice=advice, advice_lowers=advice_lowers, reason=door.reason,
    )  # fmt: skip
    show_one(door, changed, _card)


# --- keys: another face of `siems integration` -------------------------------------------------------------------


@app.command()
@leaf
def keys(door: Door, ref: Ref) -> None:
    """The keys of one client: siems company keys acme"""
    from siems.cli.integration import COLUMNS as KEYS

    wanted = door.client.company(ref)["id"]
    show_list(door, [item for item in door.client.integrations() if item["company_id"] == wanted], KEYS)


@app.command("rotate-key")
@leaf
def rotate_key(
    door: Door,
    ref: Ref,
    what: Annotated[str, typer.Option("--what", help="key, hmac or both; all it has, unless told")] = "",
    overlap: Annotated[str, typer.Option("--overlap", help="how long the old ones are still taken")] = "24h",
    secrets_file: SecretsFile = "",
) -> None:
    """Replace the key of onboarding: siems company rotate-key acme --overlap 24h --confirm acme

    Keys of single tools: siems integration rotate ID
    """
    from siems.cli.keys import rotated
    from siems.cli.ways import TRIAL

    company = door.client.company(ref)["id"]
    door.sure(f"The key of {company} will be replaced", ref)
    found = [
        item for item in door.client.integrations()
        if item["company_id"] == company and item["tool"] == "generic" and item["name"] != TRIAL
        and not item["revoked_at"]
    ]  # fmt: skip
    if not found:
        slug = company.removeprefix("comp-")
        raise errors.NotFound(
            f"{company} has no key for signed JSON any more",
            hint=f"make one:  siems integration add generic --company {slug}",
        )
    what = what or ("key" if found[0]["signing"] == "none" else "both")
    rotated(door, found[0]["id"], what=what, overlap=overlap, secrets_file=secrets_file)


@app.command("revoke-key")
@leaf
def revoke_key(
    door: Door,
    ref: Ref,
    key: Annotated[str, typer.Argument(help="its integration, or the end of the key as `company keys` shows it")],
) -> None:
    """End a key at once and for good: siems company revoke-key acme int-acme-zabbix-3 --confirm int-acme-zabbix-3"""
    from siems.cli.keys import revoked

    company = door.client.company(ref)["id"]
    mine = [item for item in door.client.integrations() if item["company_id"] == company]
    found = [item["id"] for item in mine if key in (item["id"], item["key_hint"])]
    replaced = [item["id"] for item in mine if any(old["hint"] == key for old in item["old_keys"])]
    if len(found) + len(replaced) != 1:
        many = "more than one key" if found or replaced else "no key"
        raise errors.NotFound(f"{company} has {many} that is or ends in {key!r}", hint=f"siems company keys {ref}")
    if key != (found or replaced)[0]:
        door.sure(f"The key ending in {key} will be refused from now on, for good", key)
        done = door.client.revoke_integration((found or replaced)[0], old=bool(replaced), reason=door.reason)
        said = "ended" if done["changed"] else "as before"
        show_one(door, done, lambda d: [f"{d['integration_id']}: {said}"], id="integration_id")
        return
    revoked(door, key, old=False)


@app.command("test")
@leaf
def trial(
    door: Door,
    ref: Ref,
    wait: Annotated[str, typer.Option("--wait", help="for each step: 30s")] = "30s",
) -> int:
    """Send a test alert through the webhook and watch what becomes of it: siems company test acme

    Exit 9 when a step fails. It is LOW, and resolved at the end.
    """
    from siems.cli.trial import lines, run
    from siems.moments import seconds

    if door.dry_run:
        raise errors.UsageError("a test cannot be tried without doing it", hint="leave --dry-run out")
    found = run(door, ref, float(seconds(wait) or 30))
    show_one(door, found, lines, id="ok")
    return 0 if found["ok"] else 9
