"""What people read when a tool is set up: its steps, ready lines for a shell, and what siems hears of it."""

from __future__ import annotations

import time
from typing import Any

from siems import errors
from siems.cli.context import Door
from siems.cli.show import Item, at

PRINTS = ("steps", "url", "key-id", "env", "curl")
TRIAL = "siems company test"
"""The name of the integrations that `company test` makes for itself."""
POLL_SECONDS = 0.5

SIGNED = """\
ts=$(date +%s)
body='{{"asset_name":"web-01","signature":"test_alert","severity":"low","message":"hello","tool_source":"curl"}}'
sig=$(printf '%s.%s' "$ts" "$body" | openssl dgst -sha256 -hmac '{secret}' -r | cut -d' ' -f1)
curl -fsS '{url}' -H 'X-API-Key: {key}' -H "X-Timestamp: $ts" -H "X-Signature: sha256=$sig" \\
  -H 'Content-Type: application/json' --data-raw "$body"
"""
UNSIGNED = """\
curl -fsS '{url}' -H 'Content-Type: application/json' \\
  --data-raw '{{"asset_name":"web-01","signature":"test_alert","host":"web-01","severity":"low","message":"hello"}}'
"""


def curl(made: Item) -> str:
    """A line for a shell that sends one alert. Raises Conflict when the key is not known."""
    if not made["api_key"]:
        raise _hidden(made)
    if made["signing"] == "none":
        return UNSIGNED.format(url=made["webhook_url"])
    if made["tool"] != "generic":
        raise errors.UsageError(
            f"{made['tool']} signs in a way of its own, so curl cannot speak for it",
            hint="send a test message from the tool; --verify waits for it",
        )
    return SIGNED.format(url=made["webhook_url"], key=made["api_key"], secret=made["hmac_secret"])


def printed(made: Item, what: str) -> str:
    """One thing about an integration, for a script. Raises UsageError and Conflict."""
    from siems.cli.secrets import variables

    match what:
        case "url" if made["api_key"] or "YOUR-KEY" not in made["webhook_url"]:
            return f"{made['webhook_url']}\n"
        case "key-id":
            return f"{made['integration_id']}\n"
        case "env" if made["api_key"]:
            return variables(made)
        case "curl":
            return curl(made)
        case "url" | "env":
            raise _hidden(made)
    raise errors.UsageError(f"there is nothing called {what!r} to print", hint=f"one of: {', '.join(PRINTS)}")


def _hidden(made: Item) -> errors.Conflict:
    return errors.Conflict(
        f"the key of {made['integration_id']} is kept as a hash and cannot be shown again",
        hint="replace it, the old one works 24 hours more:  add --rotate",
    )


def only_here(url: str) -> list[str]:
    """A warning about an address that nothing but this machine reaches: most tools are elsewhere."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        here = host == "localhost"
    else:
        here = address.is_loopback or address.is_unspecified
    if not here:
        return []
    return [
        "",
        f"{host} is this machine only. For tools elsewhere, set the name by which they reach it, and look again:",
        "  siems config set server.public_url https://siems.msp.example && siems daemon restart",
    ]


def steps(made: Item) -> list[str]:
    """How to set the tool up, with what is to be typed there."""
    from siems.present import safe

    s = made["setup"]
    lines = [f"{made['tool']} of {made['company_id']}, integration {made['integration_id']}", ""]
    lines += [*secrets_of(made), *only_here(made["webhook_url"])]
    lines += ["", *(f"{number}. {safe(text)}" for number, text in enumerate(s["steps"], 1))]
    if s["snippet"]:
        name = f"{safe(s['snippet_name'])}:" if s["snippet_name"] else "to paste:"
        lines += ["", name, "", *(f"  {safe(line)}" for line in s["snippet"].rstrip().splitlines())]
    if s["docs"]:
        lines += ["", safe(s["docs"])]
    if not (made["api_key"] or made["queue_url"]) and "old_until" in made and made["old_until"] is None:
        ref = made["integration_id"]
        lines += [
            "", "There is a key already. It is kept as a hash and cannot be shown again, so YOUR-KEY stands for it.",
            f"For a new one (the old one works 24 hours more):  siems integration rotate {ref}",
        ]  # fmt: skip
    return lines


def secrets_of(made: Item) -> list[str]:
    """URL, key and secret, as far as they were made now."""
    if made["queue_url"]:
        return [f"  queue         {made['queue_url']}", "                (siems asks it for messages by itself)"]
    lines = [f"  webhook URL   {made['webhook_url']}"]
    if made["tool"] == "email":
        off = "none yet: set mail_ingest.enabled and mail_ingest.domain in siems.toml; then it is KEY@DOMAIN"
        lines.insert(0, f"  mail address  {made['mail_address'] or off}")
    if made["api_key"]:
        lines.append(f"  API key       {made['api_key']}")
    if made["hmac_secret"]:
        lines.append(f"  HMAC secret   {made['hmac_secret']}")
    if made["api_key"] or made["hmac_secret"]:
        lines.append("                (shown this once: keys are kept as hashes, secrets encrypted)")
    if made.get("awaits_secret"):
        lines += [
            "", f"{made['tool']} makes the signing secret itself; until siems has it, everything is refused. Give it:",
            f"  siems integration rotate {made['integration_id']} --what hmac --secret-file -",
        ]  # fmt: skip
    return lines


# --- the first message -----------------------------------------------------------------------------------------


def wait_for_first(door: Door, ref: str, seconds: float, *, since: tuple[Any, Any] | None = None) -> Item:
    """The integration, once it has sent something; what was refused meanwhile is told. Raises Negative."""
    from siems.present import safe

    seen, refused = since if since is not None else marks(door.client.integration(ref))
    end = time.monotonic() + seconds
    door.note(f"waiting {seconds:g} s for the first message of {ref} ...")
    while True:
        found = door.client.integration(ref)
        if found["last_seen_at"] not in (None, seen):
            return found
        if found["refused_at"] not in (None, refused):
            refused = found["refused_at"]
            door.note(f"refused: {safe(found['refused_cause'])}")
        if time.monotonic() >= end:
            was = f"; the last one was refused: {found['refused_cause']}" if found["refused_at"] else ""
            raise errors.Negative(
                f"nothing came from {found['tool']} within {seconds:g} s{was}",
                hint=f"siems alert list --rejected, and:  siems integration show {ref}",
            )
        time.sleep(min(POLL_SECONDS, max(0.0, end - time.monotonic())))


def marks(found: Item) -> tuple[Any, Any]:
    """By what something new is told from what was there before."""
    return found["last_seen_at"], found["refused_at"]


def heard(found: Item) -> list[str]:
    """What siems made of the last thing that an integration sent."""
    from siems.present import safe

    seen = found["last_seen"]
    if found["last_seen_at"] is None or seen is None:
        return ["nothing has come yet"]
    lines = [f"{'alert' if found['last_kind'] == 'alert' else 'message'} at {at(found['last_seen_at'])}"]
    if found["last_kind"] != "alert":
        return [*lines, f"  {safe(seen['said'])} (no alert)"]
    state = "firing" if seen["firing"] else "recovered"
    lines += [
        f"  {seen['severity']} {state}   asset {safe(seen['asset_name'])}   signature {safe(seen['signature'])}",
        *(f"  {safe(line)}" for line in seen["message"].splitlines()[:4]),
    ]
    if seen["alerts"] > 1:
        lines.append(f"  and {seen['alerts'] - 1} more in the same body")
    if seen["alert_id"]:
        lines.append(f"  {seen['alert_id']} in {seen['incident_id'] or 'no incident yet'}, {seen['company_id']}")
    return [*lines, *(f"  note: {safe(text)}" for text in seen["warnings"])]


# --- cards -----------------------------------------------------------------------------------------------------


def card(found: Item) -> list[str]:
    """One integration, for people."""
    from siems.present import safe

    whose = "its own" if found["rate_per_minute"] else "the company's"
    rate = f"{found['rate_in_force']}/min, burst {found['burst']}, {whose}"
    name = f"   {safe(found['name'])}" if found["name"] else ""
    head = f"{found['id']}   {found['tool']} of {found['company_id']}{name}"
    if found["queue"]:
        return [head + _ends(found), *_particulars(found), *_told(found)]
    lines = [
        head,
        f"  URL       {found['webhook_url']}",
        f"  key       ends in {found['key_hint']}{_ends(found)}",
        f"  signing   {found['signing']}",
        f"  rate      {rate}",
        f"  from      {', '.join(found['networks']) or 'everywhere'}",
    ]
    lines += _particulars(found)
    for old in found["old_keys"]:
        hint = f" ending in {old['hint']}" if old["hint"] else ""
        lines.append(f"  replaced  {old['kind']}{hint}, taken until {at(old['until'])}")
    return [*lines, *_told(found)]


def _told(found: Item) -> list[str]:
    """Whose clients it tells apart, and what came last."""
    from siems.present import safe

    lines = []
    if found["tenant_field"]:
        lines.append(f"  clients   by the field {safe(found['tenant_field'])}")
        lines += [f"              {safe(one['value'])} is {one['company_id']}" for one in found["tenants"]]
    if found["refused_at"]:
        lines.append(f"  refused   {at(found['refused_at'])}: {safe(found['refused_cause'])}")
    return [*lines, "", *heard(found)]


def _particulars(found: Item) -> list[str]:
    """Address and rules of mail, and how it goes with a queue."""
    from siems.present import safe

    lines = [f"  address   KEY@{safe(found['mail_domain'])}"] if found["mail_domain"] else []
    for rule in found["rules"]:
        what = ", ".join(
            k if v is True else f"{k} {v}" for k, v in rule.items() if k not in ("field", "pattern", "ignore")
        )
        what = "ignored" if rule.get("ignore") else what
        lines.append(f"  rule      {safe(rule['field'])}: {safe(rule['pattern'])} -> {safe(what)}")
    queue = found["queue"]
    if queue is None:
        return lines
    looked = f"last asked {at(queue['polled_at'])}" if queue["polled_at"] else "not asked yet"
    lines += [f"  queue     {safe(queue['url'])}", f"            as {queue['source']}, {looked}, "
              f"{queue['received']} messages so far"]  # fmt: skip
    if queue["error"]:
        times = "once" if queue["failures"] == 1 else f"{queue['failures']} times in a row"
        lines += [
            f"  failing   {times}, {at(queue['error_at'])}: {safe(queue['error'])}",
            f"            {queue['hint']}",
        ]
    return lines


def read_rules(file: str) -> list[Any] | None:
    """Rules of mail from a file or standard input. Raises UsageError."""
    if not file:
        return None
    import json
    import sys

    try:
        with sys.stdin if file == "-" else open(file) as handle:
            found: list[Any] = json.load(handle)
    except OSError as why:
        raise errors.UsageError(f"{file} cannot be read ({why.strerror})", hint="name another file") from why
    except ValueError as why:
        raise errors.UsageError(f"{file} is no JSON: {why}", hint='[{"field": "subject", "pattern": "*test*", '
                                '"ignore": true}]') from why  # fmt: skip
    return found


def _ends(found: Item) -> str:
    if found["revoked_at"]:
        return f", revoked {at(found['revoked_at'])}"
    return f", ends {at(found['expires_at'])}" if found["expires_at"] else ""


def tool_card(tool: Item) -> list[str]:
    """One tool and how it is set up, for people."""
    from siems.present import safe

    s = tool["setup"]
    signs = tool["signs"] or ("Amazon signs its messages" if tool["proves"] else "it cannot; the key alone lets it in")
    lines = [f"{safe(tool['title'])} ({tool['name']})", f"  signing   {signs}"]
    if tool["tenant"]:
        lines.append(f"  clients   told apart by {tool['tenant']}, with --company msp")
    lines += ["", *(f"{number}. {safe(text)}" for number, text in enumerate(s["steps"], 1))]
    return [*lines, "", f"with everything filled in:  siems integration setup {tool['name']} --company COMPANY"]
