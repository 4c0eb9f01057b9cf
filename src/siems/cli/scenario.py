"""An hour at a small MSP, minute by minute: what the demonstration sends. The same seed makes the same hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

ACME, BOREALIS, CEDAR = "Acme Dental", "Borealis Freight", "Cedar Law"
COMPANIES = (ACME, BOREALIS, CEDAR)

PEOPLE = (
    ("maria", "technician", COMPANIES),
    ("jon", "technician", (ACME, CEDAR)),
    ("priya", "manager", COMPANIES),
)
"""(name, role, companies) of those who work there, besides the admin dana."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that a monitoring tool says, at a second of the hour."""

    second: float
    company: str
    tool: str
    asset: str
    signature: str
    severity: str
    message: str
    firing: bool = True


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person does about the incident of a signature, at a second of the hour."""

    second: float
    who: str
    signature: str
    action: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Trick:
    """Something that must not get in: a forged signature, or a delivery that was sent before."""

    second: float
    kind: str


Step = Signal | Deed | Trick


def hour(seed: int) -> list[Step]:
    """All that happens, in order."""
    random = Random(seed)  # noqa: S311
    steps: list[Step] = [
        *_storms(random), *_background(random), *_deeds(), Trick(1_810.0, "forged"), Trick(1_860.0, "replayed"),
    ]  # fmt: skip
    return sorted(steps, key=lambda step: step.second)


def _repeat(random: Random, first: Signal, *, until: float, every: float) -> Iterator[Signal]:
    """The same again and again, as tools do while a problem lasts."""
    second = first.second
    while second < until:
        yield replace(first, second=second)
        second += every * random.uniform(0.8, 1.2)


def _storms(random: Random) -> Iterator[Step]:
    """What an MSP remembers of the hour."""
    # 00:08 a switch at Acme dies: every workstation behind it is unreachable, and comes back
    for number in range(1, 13):
        start = 480 + random.uniform(0, 70)
        down = Signal(
            start, ACME, "Zabbix", f"acme-pc-{number:02}", "host_unreachable", "high",
            f"acme-pc-{number:02} does not answer ICMP",
        )  # fmt: skip
        yield from _repeat(random, down, until=1_500, every=60)
        yield replace(down, second=1_510 + random.uniform(0, 40), firing=False)
    # 00:20 the VPN of Borealis flaps at the carrier
    for burst in range(3):
        down = Signal(
            1_200 + burst * 260, BOREALIS, "Meraki", "fw-edge-02", "vpn_tunnel_down", "critical",
            "tunnel to site-2 is down",
        )  # fmt: skip
        yield from _repeat(random, down, until=down.second + 120, every=15)
        if burst < 2:
            yield replace(down, second=down.second + 150, firing=False)
    # 00:35 mail at Cedar is stuck, two tools say so
    for tool, start in (("PRTG", 2_100), ("Datadog", 2_180)):
        stuck = Signal(start, CEDAR, tool, "ex01", "exchange_queue_high", "high", "mail queue 5204, limit 500")
        yield from _repeat(random, stuck, until=3_560, every=55)
    # 00:41 a bad release of the booking site takes the CPU of five web servers
    for number in range(1, 6):
        hot = Signal(
            2_460 + number * 11, BOREALIS, "Datadog", f"web-server-{number:02}", HOT, "high",
            f"CPU at {random.randint(91, 99)}% for 5 minutes",
        )  # fmt: skip
        yield from _repeat(random, hot, until=3_590, every=40)
    # 00:44 the domain controller of Acme is gone, and nobody is at the desk
    gone = Signal(2_640, ACME, "Zabbix", "dc01", "domain_controller_down", "critical", "DC01 down, DHCP and DNS fail")
    yield from _repeat(random, gone, until=3_590, every=30)


HOT, CURE, FIXER = "high_cpu_usage", "high-cpu-fix", "maria"
"""What ends with a runbook, with which, and who runs it."""

_SMALL = (
    (ACME, "Veeam", "backup-01", "backup_job_failed", "medium", "job nightly failed, 3 of 41 machines"),
    (ACME, "Zabbix", "sql01", "disk_space_low", "medium", "D: 91% used"),
    (BOREALIS, "Datadog", "db-02", "replication_lag", "medium", "replica is 94 s behind"),
    (BOREALIS, "Meraki", "ap-14", "client_roaming", "low", "17 clients roamed within a minute"),
    (CEDAR, "PRTG", "fs02", "disk_space_low", "medium", "C: free 6 %"),
    (CEDAR, "Uptime Kuma", "intranet", "tls_certificate_expires", "low", "expires in 13 days"),
    (CEDAR, "PRTG", "ups-3", "ups_self_test", "low", "self test warning, battery 71 %"),
    (ACME, "Wazuh", "vpn-gw", "failed_logins", "medium", "23 failed logins from one address"),
    (BOREALIS, "Datadog", "api-01", "http_5xx_rate", "high", "2.4 % of answers are 5xx"),
)


def _background(random: Random) -> Iterator[Signal]:
    """What always goes on: small things that come, repeat and go."""
    for index, (company, tool, asset, signature, severity, message) in enumerate(_SMALL):
        start = 60 + index * 190 + random.uniform(0, 120)
        small = Signal(start, company, tool, asset, signature, severity, message)
        ends = start + random.uniform(700, 2_600)
        if signature == "backup_job_failed":
            ends = 1_450.0  # jon repairs it
        yield from _repeat(random, small, until=min(ends, 3_580), every=random.uniform(50, 110))
        if ends < 3_000 and index % 2:
            yield replace(small, second=ends + 20, firing=False)


def _deeds() -> Iterator[Deed]:
    """What the people do: some of it in time."""
    yield Deed(1_330, "maria", "vpn_tunnel_down", "ack")
    yield Deed(1_420, "maria", "vpn_tunnel_down", "start")
    yield Deed(1_700, "maria", "vpn_tunnel_down", "note", "called the carrier, ref 8812: work on the line until 15:00")
    yield Deed(900, "jon", "backup_job_failed", "take")
    yield Deed(1_500, "jon", "backup_job_failed", "resolve", "repository was full, old chains removed, job ran")
    yield Deed(2_300, "jon", "exchange_queue_high", "take")
    yield Deed(2_420, "jon", "exchange_queue_high", "start")
    yield Deed(2_900, "maria", "replication_lag", "take")
    yield Deed(3_100, "priya", "http_5xx_rate", "assign", "maria")
