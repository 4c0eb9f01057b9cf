"""What the office does at the daemon, call by call: a client is made, a test is delivered, a person is saved."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from siems.client import Client as Daemon
from siems.errors import SiemsError, Unavailable
from siems.tui.drafts import Draft
from siems.wire import UserView

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TEST = {
    "asset_name": "siems-test",
    "signature": "siems_test",
    "severity": "low",
    "tool_source": "siems test",
    "message": "a test of the way in: nothing is wrong",
}


def onboard(daemon: Daemon, draft: Draft, now: datetime) -> tuple[dict[str, Any], str]:
    """Make the client; then what its creation does not take. Answers what was made, and what could not be done."""
    try:
        made = daemon.onboard(**draft.onboarding(expiry(draft.get("expires"), now)))
    except Unavailable as why:
        raise Unavailable(why.message, hint="if it was made all the same, 6 lists it and I makes it a key") from why
    left = []
    told = draft.settings()
    if told:
        try:
            daemon.edit_company(made["company_id"], **told)
        except SiemsError as why:
            left.append(why.message)
    window = draft.window()
    if window is not None:
        zone = draft.get("time_zone") or "UTC"
        ask = {
            "company": made["company_id"],
            "matchers": ["asset=*"],
            "comment": "maintenance window",
            "starts_at": first_window(window["days"], window["at"], zone, now).isoformat(),
            "seconds": window["seconds"],
            "repeat": window["repeat"],
            "time_zone": zone,
        }
        try:
            daemon.create_silence(**ask)
        except SiemsError as why:
            left.append(f"no maintenance window: {why.message}")
    return made, "; ".join(left)


def first_window(days: str, at: str, zone: str, now: datetime) -> datetime:
    """The next time of day `at` in a zone, on one of the days (`daily`, `sat,sun`)."""
    here = now.astimezone(ZoneInfo(zone))
    hour, minute = at.split(":")
    for ahead in range(8):
        day = here.date() + timedelta(days=ahead)
        moment = datetime.combine(day, time(int(hour), int(minute)), tzinfo=ZoneInfo(zone))
        if moment > here and (days == "daily" or DAYS[day.weekday()] in days.split(",")):
            return moment.astimezone(UTC)
    raise AssertionError("a week has every day")


def expiry(text: str, now: datetime) -> str:
    """The end of a key, RFC 3339: `180d` from now, or a day."""
    if not text:
        return ""
    units = {"d": timedelta(days=1), "w": timedelta(weeks=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
    if text[-1] in units and text[:-1].isdigit():
        return (now + int(text[:-1]) * units[text[-1]]).isoformat()
    return datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat()


def deliver_test(made: Mapping[str, Any], daemon: Daemon) -> str:
    """Post a test alert to the webhook's own URL; what came of it, in words."""
    stamp = str(int(datetime.fromisoformat(daemon.server_time()).timestamp()))
    body = json.dumps(TEST).encode()
    headers = {"X-API-Key": made["api_key"], "X-Timestamp": stamp, "Content-Type": "application/json"}
    if made.get("hmac_secret"):
        signed = hmac.digest(made["hmac_secret"].encode(), stamp.encode() + b"." + body, "sha256").hex()
        headers["X-Signature"] = f"sha256={signed}"
    url = urlsplit(made["webhook_url"])
    status, said = Daemon(made["webhook_url"], timeout=10.0).deliver(url.path, body, headers)
    if status != 202:
        return f"{made['webhook_url']} answered {status}: {said.get('detail') or said.get('title') or ''}"
    return f"taken as {said.get('alert_id')} {said.get('incident_id') or ''}"


def person_fault(values: dict[str, str]) -> str:
    """What is wrong with a person's form; "" when nothing is."""
    if "name" in values and not values["name"]:
        return "a name is needed"
    if "@" not in values["email"]:
        return "a mail address is needed"
    if "password" in values and len(values["password"]) < 12:
        return "a password has at least 12 characters"
    return ""


def save_person(daemon: Daemon, one: UserView | None, values: dict[str, str]) -> str:
    """Make or change somebody; what was done, in words."""
    companies = values["companies"].replace(",", " ").split()
    if one is None:
        made = daemon.create_user(
            name=values["name"],
            email=values["email"],
            role=values["role"],
            password=values["password"],
            companies=companies,
        )
        return f"{made.get('name', values['name'])} can log in now"
    have = {ref.removeprefix("comp-") for ref in one.companies}
    want = {ref.removeprefix("comp-") for ref in companies}
    asked: tuple[tuple[str, Any, Any], ...] = (
        ("email", values["email"], one.email), ("role", values["role"], one.role),
        ("skills", values["skills"].replace(",", " ").split(), one.skills),
        ("availability", values["availability"], one.availability),
        ("disabled", values["login"] == "disabled", one.disabled),
        ("add_companies", sorted(want - have), []), ("remove_companies", sorted(have - want), []),
    )  # fmt: skip
    told = {name: now for name, now, before in asked if now != before}
    if not told:
        return "nothing was changed"
    daemon.edit_user(one.id, **told)
    return f"{one.name}: saved"
