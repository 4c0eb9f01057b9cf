"""H3: no body makes an error of ours, whatever tool it claims to be of; both databases say the same."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from conftest import Copy
from daemon.house import House, open_house
from siems.clock import ManualClock
from siems.errors import InvalidField, UsageError
from siems.sources import SOURCES
from siems.sources.hearing import hear, redacted

from .strange import RAW, strange

pytestmark = pytest.mark.faults

BODIES = int(os.environ.get("FAULTS_BODIES", "10000"))
SENT = int(os.environ.get("FAULTS_BODIES_SENT", "1000"))
WIDEST = {"content-type": "application/json"}


def test_every_source_reads_or_refuses_every_body() -> None:
    said = Counter[str]()
    for tool, body in strange(BODIES, seed=20_260_310):
        found = SOURCES.get(tool)
        try:
            read = hear(found, body, WIDEST)
        except (UsageError, InvalidField) as refused:  # what is answered with 4xx; any other error ends this test
            said[refused.code] += 1
        else:
            said["alerts" if read.readings else "no alert"] += 1
            for reading in read.readings:
                for text in (reading.asset_name, reading.signature, reading.message, reading.tool_source):
                    assert "\x00" not in text, (tool, body[:200])
                    text.encode()
        redacted(body, found.redact)
    print(f"\n{BODIES} strange bodies: {dict(said)}")
    assert said["alerts"] > BODIES // 10
    assert said["usage"] > 0


async def test_both_databases_give_the_same_verdict_over_the_wire(
    sqlite_template: Path, quick_path: Path, postgres_server: URL, postgres_template: str, clock: ManualClock
) -> None:
    file = quick_path / "one.db"
    shutil.copy(sqlite_template, file)
    said = Counter[int]()
    with Copy(postgres_server, postgres_template) as url:
        async with open_house(str(file), clock) as one, open_house(url, clock) as other:
            cases = [("generic", raw) for raw in RAW] + list(strange(SENT, seed=7_361))
            for number, (tool, body) in enumerate(cases):
                if SOURCES.get(tool).proves:
                    continue
                statuses = [await verdict(house, tool, body, f"n{number}") for house in (one, other)]
                assert statuses[0] == statuses[1], (tool, statuses, body[:300])
                assert statuses[0] < 500, (tool, statuses, body[:300])
                said[statuses[0]] += 1
            for house in (one, other):
                assert (await house.ask("root", "GET", "/alerts?limit=1000")).status == 200
                assert (await house.ask("root", "GET", "/incidents?limit=1000")).status == 200
    print(f"\n{sum(said.values())} strange bodies over the wire, twice: {dict(said)}")
    assert said[202] > SENT // 10


async def verdict(house: House, tool: str, body: bytes, delivery: str) -> int:
    house.runtime.limiter._buckets.clear()
    headers = [*house.signed(body), ("Content-Type", "application/json"), ("X-Delivery-ID", delivery)]
    return (await house.send("POST", f"/api/webhooks/{tool}", headers, body)).status
