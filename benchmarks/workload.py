"""The alerts that are sent: the usual mix, all-new ones, and batches, rendered and signed before they are sent."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from siems.domain.signature import sign

ASSETS = 1_000
COMPANIES = 20
REPEATS, JOINS = 0.90, 0.09  # what is left opens an incident
BATCH = 50

_WORDS = tuple(a + b + c for a in ("ba", "co", "di", "fer", "gal", "hu", "jo", "kel", "lam", "mor") for b in (
    "ran", "sel", "tim", "dov", "vur", "wen", "xas", "zil", "pon", "que") for c in (
    "a", "do", "ker", "lit", "mus", "net", "or", "pa", "ry", "ton"))  # fmt: skip

Alert = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sender:
    """One company's way in."""

    key: str
    secret: str


class Alerts:
    """Alerts by the part of the mix that they belong to; numbers make them distinct across runs."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._run = f"{seed:x}"
        self._made = 0

    def known(self, company: int) -> list[Alert]:
        """The alerts of a company that are active before anything is measured: one for each asset."""
        return [_alert(asset, f"disk_usage_high_{asset}") for asset in range(company, ASSETS, COMPANIES)]

    def usual(self, company: int) -> Alert:
        """90 % repeats of active alerts, 9 % joining an open incident, 1 % opening one."""
        draw = self._random.random()
        if draw < REPEATS:
            asset = self._asset(company)
            return _alert(asset, f"disk_usage_high_{asset}")
        if draw < REPEATS + JOINS:
            asset = self._asset(company)
            return _alert(asset, f"disk_usage_high_{asset}", part=f"/mnt/{self._next()}")
        return self.new(company)

    def new(self, company: int) -> Alert:
        """An alert that opens an incident: its signature was never seen."""
        return _alert(self._asset(company), f"job_failed_{self._next()}")

    def _asset(self, company: int) -> int:
        return self._random.randrange(ASSETS // COMPANIES) * COMPANIES + company

    def _next(self) -> str:
        self._made += 1
        return f"{self._run}x{self._made}"


def _alert(asset: int, signature: str, *, part: str = "") -> Alert:
    # different problems read differently: near-identical texts would be folded into one incident
    text = " ".join(random.Random(signature).sample(_WORDS, 8))
    alert: Alert = {
        "asset_name": f"srv-{asset:04d}", "signature": signature, "severity": "warning",
        "message": f"{signature} on srv-{asset:04d}: {text}; the last value was 97.4", "tool_source": "zabbix",
        "labels": {"team": "infrastructure", "site": "north", "rack": f"r{asset % 40}", "env": "production"},
        "links": [f"https://monitoring.example.com/problems?host=srv-{asset:04d}"],
    }  # fmt: skip
    if part:
        alert["dedup_key"] = f"{alert['asset_name']}:{part}"
    return alert


def as_alertmanager(alerts: list[Alert]) -> dict[str, Any]:
    """The same alerts in one webhook body of Alertmanager."""
    now = datetime.now(UTC).isoformat()
    items = []
    for alert in alerts:
        labels = {"alertname": alert["signature"], "instance": f"{alert['asset_name']}:9100", "severity": "warning"}
        same = f"{alert['asset_name']}\x1f{alert['signature']}\x1f{alert.get('dedup_key', '')}"
        items.append(
            {
                "status": "firing", "labels": labels, "annotations": {"summary": alert["message"]}, "startsAt": now,
                "endsAt": "0001-01-01T00:00:00Z", "generatorURL": alert["links"][0],
                "fingerprint": blake2b(same.encode(), digest_size=8).hexdigest(),
            }
        )  # fmt: skip
    return {
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "siems",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "https://alertmanager.example.com", "alerts": items,
    }  # fmt: skip


def for_peer(alerts: list[Alert]) -> bytes:
    """The same alerts for the API of Alertmanager, which tells alerts apart by their labels."""
    items = []
    for alert in alerts:
        labels = {"alertname": alert["signature"], "instance": alert["asset_name"], "severity": alert["severity"]}
        part = {"part": alert["dedup_key"]} if "dedup_key" in alert else {}
        items.append(
            {
                "labels": labels | alert["labels"] | part,
                "annotations": {"summary": alert["message"]},
                "generatorURL": alert["links"][0],
            }
        )
    raw = json.dumps(items).encode()
    head = "POST /api/v2/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw


def render(sender: Sender, body: Any, *, source: str = "generic") -> bytes:
    """One signed request with a delivery id of its own, ready for the socket."""
    raw = json.dumps(body).encode()
    headers = {
        "Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(raw)),
        "X-API-Key": sender.key, "X-Delivery-ID": str(uuid.uuid4()), **sign(sender.secret, raw, at=datetime.now(UTC)),
    }  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /api/webhooks/{source} HTTP/1.1\r\n{lines}\r\n".encode() + raw


def requests(kind: str, count: int, senders: list[Sender], alerts: Alerts) -> Iterator[bytes]:
    """`count` rendered requests of one kind, from each company in turn."""
    for number in range(count):
        company = number % COMPANIES
        sender = senders[company]
        match kind:
            case "usual":
                yield render(sender, alerts.usual(company))
            case "new":
                yield render(sender, alerts.new(company))
            case "list":
                yield render(sender, [alerts.usual(company) for _ in range(BATCH)])
            case "alertmanager":
                body = as_alertmanager([alerts.usual(company) for _ in range(BATCH)])
                yield render(sender, body, source="alertmanager")
            case "peer usual":
                yield for_peer([alerts.usual(company)])
            case "peer new":
                yield for_peer([alerts.new(company)])
            case "peer list":
                yield for_peer([alerts.usual(company) for _ in range(BATCH)])
            case _:
                raise ValueError(kind)


def seeding(senders: list[Sender], alerts: Alerts) -> Iterator[bytes]:
    """Requests that make the active alerts which the usual mix repeats, for both formats."""
    for company in range(COMPANIES):
        known = alerts.known(company)
        yield render(senders[company], known)
        yield render(senders[company], as_alertmanager(known), source="alertmanager")
