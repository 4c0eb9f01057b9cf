"""Unrelated noise: single flaps, nightly jobs, blips of heartbeats, levels that are crossed and come back."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from benchmarks.correlation.labelled import Raw
from siems.domain.alert import Reading
from siems.vocabulary import Severity

PER_HOUR = 3.0
KINDS: tuple[tuple[str, str, str, Severity], ...] = (
    ("backup_failed", "Veeam", "Job nightly-{n} ended with a warning: {k} of 40 objects were skipped", Severity.MEDIUM),
    ("heartbeat_missed", "heartbeat", "No beat of cron-{n} for {k} minutes", Severity.LOW),
    ("high_cpu", "Datadog", "CPU at {k}% for 5 minutes", Severity.LOW),
    ("disk_usage", "Zabbix", "Free space on /data{n} is below {k}%", Severity.MEDIUM),
    ("certificate_expires", "Checkly", "The certificate of portal{n} ends in {k} days", Severity.LOW),
    ("failed_login", "Wazuh", "{k} failed logins of admin{n} within one minute", Severity.MEDIUM),
    ("ping_loss", "PRTG", "Packet loss of {k}% on the line of shop {n}", Severity.LOW),
    ("print_queue", "NinjaOne", "{k} documents are stuck on printer {n}", Severity.LOW),
)


def noise_on(
    tenant: str, assets: Iterable[str], start: datetime, end: datetime, chance: random.Random, *,
    per_hour: float = PER_HOUR,
) -> Iterator[Raw]:  # fmt: skip
    """Alerts that belong to nothing, half of them on assets that other things happen to."""
    known = sorted(assets)
    others = [f"desk{n}.{tenant}" for n in range(40)]
    at, number = start, 0
    while True:
        at += timedelta(hours=chance.expovariate(per_hour))
        if at > end:
            return
        number += 1
        signature, tool, text, severity = chance.choice(KINDS)
        asset = chance.choice(known if known and chance.random() < 0.5 else others)
        reading = Reading(
            asset_name=asset, signature=signature, severity=severity, original_severity="",
            message=text.format(n=chance.randint(1, 9), k=chance.randint(2, 97)), tool_source=tool,
        )  # fmt: skip
        over = at + timedelta(minutes=chance.choice((1, 3, 8, 15)))
        yield Raw(at, tenant, f"noise-{tenant}-{number}", reading, over)
