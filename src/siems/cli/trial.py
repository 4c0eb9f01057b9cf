"""`siems company test`: a real alert through the webhook's own URL, followed to its end."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from siems import errors
from siems.cli.context import Door
from siems.cli.show import Item
from siems.cli.ways import TRIAL
from siems.client import Client

ALERT = {
    "asset_name": "siems-test", "signature": "siems_test", "severity": "low", "tool_source": "siems test",
    "message": "a test of the way in: nothing is wrong",
}  # fmt: skip
STEPS = ("reached", "signed", "stored", "incident", "resolved")
KEY_LASTS = timedelta(minutes=10)
POLL_SECONDS = 0.3


class Failed(Exception):
    """A step did not work."""


class Trial:
    """The steps that are done so far, and what they found."""

    def __init__(self, door: Door, company: str, wait: float) -> None:
        self._door = door
        self._client = door.client
        self._company = company
        self._wait = wait
        self._made = self._key()
        self.done: list[Item] = []
        self.alert = self.incident = ""

    def _key(self) -> Item:
        """A key of its own that soon ends: those that are there are kept as hashes."""
        ends = datetime.fromisoformat(self._client.server_time()) + KEY_LASTS
        for item in self._client.integrations():
            if item["company_id"] == self._company and item["name"] == TRIAL and not item["revoked_at"]:
                return self._client.rotate_integration(
                    item["id"], what="both", overlap_seconds=600, expires_at=ends.isoformat()
                )
        return self._client.add_integration(
            tool="generic", company=self._company, name=TRIAL, expires_at=ends.isoformat()
        )

    def step(self, name: str, said: str) -> None:
        self.done.append({"step": name, "ok": True, "said": said})

    def send(self, status: str) -> tuple[int, Item]:
        """Post to the URL that clients are given, as one of them would."""
        url = self._made["webhook_url"]
        body = json.dumps({**ALERT, "status": status}).encode()
        stamp = str(int(datetime.fromisoformat(self._client.server_time()).timestamp()))
        signed = hmac.digest(self._made["hmac_secret"].encode(), stamp.encode() + b"." + body, "sha256").hex()
        headers = {"X-API-Key": self._made["api_key"], "X-Timestamp": stamp, "X-Signature": f"sha256={signed}"}
        outside = Client(url, timeout=self._wait)
        try:
            return outside.deliver(urlsplit(url).path, body, headers)
        except (errors.Unavailable, json.JSONDecodeError) as gone:
            why = gone.message if isinstance(gone, errors.Unavailable) else "what answers there is not siems"
            raise Failed(f"{url}: {why}") from gone

    def until(self, look: Callable[[], Any], failure: str) -> Any:
        end = time.monotonic() + self._wait
        while not (found := look()):
            if time.monotonic() >= end:
                raise Failed(failure)
            time.sleep(POLL_SECONDS)
        return found

    def go(self) -> None:
        """All steps, in order. Raises Failed."""
        status, said = self.send("firing")
        self.step("reached", f"{self._made['webhook_url']} answered {status}")
        if status == 401:
            raise Failed("the signature was not accepted; siems alert list --rejected tells why")
        self.step("signed", "key and signature are right")
        if status != 202:
            raise Failed(f"it was not taken: {said.get('detail', status)}")
        self.alert = said["alert_id"]
        stored = self._client.alert(self.alert)
        self.step("stored", f"{self.alert} is on disk, {stored['status']}")
        self._find_incident(stored)
        self.send("resolved")
        self.until(lambda: self._client.alert(self.alert)["status"] == "resolved", f"{self.alert} did not resolve")
        found = self._client.incident(self.incident)["incident"] if self.incident else {}
        if found and found["assets"] == [ALERT["asset_name"]] and not found["active_count"]:  # only of such tests
            self._client.act("resolve", self.incident, note=f"{TRIAL}: it works", cause="other")
            self.step("resolved", f"{self.alert} and {self.incident} are resolved again")
        else:
            self.step("resolved", f"{self.alert} is resolved again")

    def _find_incident(self, stored: Item) -> None:
        minimum = self._client.company(self._company)["correlation"]["min_alerts"]
        if stored["suppressed_by"] or stored["status"] == "suppressed":
            self.step("incident", "none: a silence covers it")
            return
        if minimum > 1 and not stored["incident_id"]:
            self.step("incident", f"none yet: this client's incidents need {minimum} alerts")
            return
        found = self.until(lambda: self._client.alert(self.alert)["incident_id"], f"{self.alert} has no incident")
        self.incident = str(found)
        self.step("incident", self.incident)


def run(door: Door, ref: str, wait: float) -> Item:
    """What became of each step; `ok` when all worked."""
    company = door.client.company(ref)["id"]
    trial = Trial(door, company, wait)
    try:
        trial.go()
    except Failed as why:
        name = STEPS[len(trial.done)]
        trial.done.append({"step": name, "ok": False, "said": str(why)})
    ok = all(step["ok"] for step in trial.done)
    return {
        "ok": ok, "company_id": company, "alert_id": trial.alert or None, "incident_id": trial.incident or None,
        "steps": trial.done,
    }  # fmt: skip


def lines(found: Item) -> list[str]:
    """The steps, for people."""
    from siems.present import safe

    shown = [f"{'ok  ' if step['ok'] else 'FAIL'} {step['step']:<9} {safe(step['said'])}" for step in found["steps"]]
    missing = STEPS[len(found["steps"]) :]
    shown += [f"     {name:<9} not tried" for name in missing]
    if not found["ok"]:
        shown += ["", "next:  siems alert list --rejected; siems doctor"]
    return shown
