"""Streams of the project's own: clients with sites, and several faults at a time, each with its true incident.

Cascades along `depends_on` (the upstream alert comes early, late or never), bursts over assets, one trouble told by
several tools, an asset's own trouble in the middle of somebody else's, flapping, nightly failures, and noise.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from benchmarks.correlation.labelled import Labelled, Raw, collect
from benchmarks.correlation.noise import noise_on
from siems.domain.alert import Reading
from siems.vocabulary import Severity

START = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
HOURS = 48
BETWEEN = timedelta(minutes=28)
"""Between two faults of one client, on average; each is on for 10 to 40 minutes."""
SILENT = 0.1
"""So often the upstream asset of a cascade is not monitored."""
AGAIN = {"Zabbix": timedelta(minutes=5), "Datadog": timedelta(minutes=10), "LibreNMS": timedelta(minutes=5)}
"""How often a tool repeats what is still so."""
H, M, C, L = Severity.HIGH, Severity.MEDIUM, Severity.CRITICAL, Severity.LOW


@dataclass(slots=True)
class Client:
    """A client: its sites are connected by one firewall, or not at all."""

    name: str
    edges: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sites: list[str] = field(default_factory=list)
    busy: dict[str, datetime] = field(default_factory=dict)
    """Until when a fault has an asset; another one does not take it."""

    def of(self, site: str, role: str) -> list[str]:
        return [a for a in self.edges if a.startswith(f"{site}-{role}-")]


def _client(number: int) -> Client:
    client = Client(f"client{number}")
    for name in ("osl", "ber", "ham")[: 2 + number % 2]:
        client.sites.append(name)
        client.edges[f"{name}-fw-1"] = ("hq-fw-1",) if number % 2 else ()
        client.edges[f"{name}-core-1"] = (f"{name}-fw-1",)
        client.edges[f"{name}-nas-1"] = (f"{name}-core-1",)
        for switch in (1, 2, 3):
            client.edges[f"{name}-sw-{switch}"] = (f"{name}-core-1",)
            client.edges[f"{name}-host-{switch}"] = (f"{name}-sw-{switch}",)
            client.edges[f"{name}-db-{switch}"] = (f"{name}-host-{switch}", f"{name}-nas-1")
            for one in (1, 2, 3):
                client.edges[f"{name}-app-{switch}{one}"] = (f"{name}-db-{switch}", f"{name}-host-{switch}")
                client.edges[f"{name}-web-{switch}{one}"] = (f"{name}-app-{switch}{one}",)
            for one in range(1, 5):
                client.edges[f"{name}-ap-{switch}{one}"] = (f"{name}-sw-{switch}",)
    return client


@dataclass(slots=True)
class Scene:
    """Where a fault happens, and its chance."""

    client: Client
    fault: str
    at: datetime
    chance: random.Random
    end: datetime

    def alert(
        self, asset: str, signature: str, text: str, *, severity: Severity = M, tool: str = "Zabbix", after: float = 0,
        lasts: float | None = None,
    ) -> Raw:  # fmt: skip
        """One alert so many seconds after the beginning; over when the fault is, unless it says how long it lasts."""
        at = self.at + timedelta(seconds=after)
        over = self.end + timedelta(seconds=self.chance.uniform(0, 90))
        over = max(over, at + timedelta(seconds=20)) if lasts is None else at + timedelta(seconds=lasts)
        reading = Reading(
            asset_name=asset, signature=signature, severity=severity, original_severity="", tool_source=tool,
            message=text.format(a=asset, n=self.chance.randint(2, 99)), labels={"site": asset.partition("-")[0]},
        )  # fmt: skip
        return Raw(at, self.client.name, self.fault, reading, over)

    def soon(self, most: float) -> float:
        return self.chance.uniform(5, most)

    def below(self, root: str) -> list[str]:
        """Everything that depends on an asset, directly and not."""
        found = {root}
        while True:
            more = {a for a, others in self.client.edges.items() if a not in found and found.intersection(others)}
            if not more:
                return sorted(found - {root})
            found |= more


_SYMPTOMS = {
    "host": ("host_unreachable", "ICMP: {a} does not answer, {n} packets lost", "Zabbix"),
    "ap": ("device_offline", "Access point {a} is offline for {n} seconds", "Meraki"),
    "db": ("db_connection_errors", "{n} connections of clients to {a} were reset", "Datadog"),
    "app": ("http_5xx", "{n} % of the requests to {a} end with a status of 5xx", "Datadog"),
    "web": ("http_latency", "Answers of {a} take {n} seconds at p95", "Pingdom"),
    "sw": ("device_unreachable", "SNMP: no answer of {a} for {n} seconds", "LibreNMS"),
    "nas": ("nfs_timeout", "NFS server {a} not responding, {n} retries", "Zabbix"),
    "core": ("device_unreachable", "SNMP: no answer of {a} for {n} seconds", "LibreNMS"),
}


def _cascade(scene: Scene, root: str, first: tuple[str, str, str], share: float) -> Iterator[Raw]:
    if not root:
        return
    if scene.chance.random() >= SILENT:
        signature, text, tool = first
        yield scene.alert(root, signature, text, severity=C, tool=tool, after=scene.soon(240))
    for asset in scene.below(root):
        if scene.chance.random() < share:
            signature, text, tool = _SYMPTOMS[asset.split("-")[1]]
            yield scene.alert(asset, signature, text, severity=H, tool=tool, after=scene.soon(420))


def switch_down(scene: Scene) -> Iterator[Raw]:
    root = _pick(scene, "sw")
    return _cascade(scene, root, ("switch_down", "Switch {a} is down, {n} ports lost", "LibreNMS"), 0.7)


def database_down(scene: Scene) -> Iterator[Raw]:
    root = _pick(scene, "db")
    said = ("postgres_down", "PostgreSQL on {a} refuses connections, {n} attempts", "Zabbix")
    return _cascade(scene, root, said, 0.9)


def host_down(scene: Scene) -> Iterator[Raw]:
    root = _pick(scene, "host")
    return _cascade(scene, root, ("host_down", "Hypervisor {a} stopped, {n} guests lost", "SCOM"), 0.8)


def storage_slow(scene: Scene) -> Iterator[Raw]:
    root = _pick(scene, "nas")
    return _cascade(scene, root, ("storage_latency", "Volumes of {a} answer after {n} ms", "PRTG"), 0.5)


def _pick(scene: Scene, *roles: str) -> str:
    """An asset of which no other fault has hold, nor of what it needs or drags along; "" when there is none.

    Two failures that touch each other along `depends_on` would be one for everybody who looks at them.
    """
    client = scene.client
    known = [a for site in client.sites for role in roles for a in client.of(site, role)]
    free = [a for a in known if all(client.busy.get(b, START) <= scene.at for b in _near(scene, a))]
    if not free:
        return ""
    found = scene.chance.choice(free)
    for asset in _near(scene, found):
        client.busy[asset] = scene.end + timedelta(minutes=50)
    return found


def _near(scene: Scene, asset: str) -> list[str]:
    above, row = [asset], [asset]
    for _ in range(2):
        row = [other for name in row for other in scene.client.edges.get(name, ())]
        above += row
    return [*above, *scene.below(asset)]


def bad_update(scene: Scene) -> Iterator[Raw]:
    """One signature over several assets, of a role or of desks that no inventory knows."""
    where = scene.chance.choice(scene.client.sites)
    kind, texts = scene.chance.choice((
        ("service_crashed", "Service agent{n} stopped unexpectedly on {a}"),
        ("high_cpu", "CPU of {a} is at {n} % since the scan began"), ("disk_latency", "Disk of {a} waits {n} ms"),
    ))  # fmt: skip
    if scene.client.busy.get(kind, START) > scene.at:
        return  # the same thing twice at the same place and time is one thing
    scene.client.busy[kind] = scene.end + timedelta(minutes=50)
    known = scene.client.of(where, scene.chance.choice(("app", "web", "ap")))
    desks = [f"{where}-desk-{n}" for n in range(1, 30)]
    among = known if scene.chance.random() < 0.5 else desks
    busy = scene.client.busy
    free = [a for a in among if all(busy.get(b, START) <= scene.at for b in _near(scene, a))]
    for asset in scene.chance.sample(free, min(len(free), scene.chance.randint(4, 9))):
        for near in _near(scene, asset):
            busy[near] = max(busy.get(near, START), scene.end + timedelta(minutes=50))
        yield scene.alert(asset, kind, texts, severity=H, tool="NinjaOne", after=scene.soon(300))


def many_tools(scene: Scene) -> Iterator[Raw]:
    """One trouble of one asset, told alike by several tools, each under a name of its own."""
    asset = _pick(scene, "app", "web")
    if not asset:
        return
    part, job = scene.chance.choice(("mail", "vpn", "erp", "dns")), scene.chance.randint(1, 9)
    if scene.client.busy.get(part, START) > scene.at:
        return
    scene.client.busy[part] = scene.end + timedelta(minutes=50)
    text = f"The {part} service refuses new sessions, queue {job} holds {{n}} entries"
    for tool, signature in (("Zabbix", f"{part}.sessions"), ("Datadog", f"{part} sessions refused"),
                            ("PRTG", f"{part} sensor")):  # fmt: skip
        name = f"{asset}.corp.example" if tool == "PRTG" else asset
        yield scene.alert(name, signature, text, severity=H, tool=tool, after=scene.soon(200))


def own_trouble(scene: Scene) -> Iterator[Raw]:
    """An asset's own trouble, whatever happens around it."""
    asset = _pick_any(scene)
    signature, text, tool = scene.chance.choice((
        ("disk_full", "Volume /var of {a} is {n} % full", "Zabbix"),
        ("raid_degraded", "Disk {n} of the array in {a} failed", "SCOM"),
        ("memory_usage", "{a} uses {n} % of its memory", "Datadog"),
        ("certificate_expired", "The certificate of {a} ended {n} hours ago", "Checkly"),
        ("malware_found", "A file on {a} was moved to quarantine, rule {n}", "SentinelOne"),
    ))  # fmt: skip
    if scene.client.busy.get(f"{asset} {signature}", START) > scene.at:
        return
    scene.client.busy[f"{asset} {signature}"] = scene.end + timedelta(minutes=50)
    yield scene.alert(asset, signature, text, severity=H, tool=tool)
    if scene.chance.random() < 0.5:
        yield scene.alert(asset, signature, text, severity=H, tool="SecondOpinion", after=scene.soon(120))


def _pick_any(scene: Scene) -> str:
    """Any asset, in the middle of another fault or not."""
    return scene.chance.choice(
        [a for site in scene.client.sites for role in ("app", "db", "web") for a in scene.client.of(site, role)]
    )


def flapping(scene: Scene) -> Iterator[Raw]:
    """A line that comes and goes."""
    if scene.client.busy.get("link_flap", START) > scene.at:
        return
    scene.client.busy["link_flap"] = scene.end + timedelta(minutes=20)
    asset = _pick(scene, "ap")
    firewalls = [f"{site}-fw-1" for site in scene.client.sites if not _shaken(scene, site)]
    if firewalls and scene.chance.random() < 0.4:  # far above whatever else is going on
        asset = scene.chance.choice(firewalls)
        site = asset.partition("-")[0]
        for near in (a for role in ("fw", "core", "sw", "host", "nas") for a in scene.client.of(site, role)):
            scene.client.busy[near] = scene.end + timedelta(minutes=50)
    if not asset:
        return
    at = 0.0
    for _ in range(scene.chance.randint(4, 8)):
        yield scene.alert(asset, "link_flap", "Line {n} of {a} went down", tool="LibreNMS", after=at, lasts=40)
        at += scene.chance.uniform(60, 150)


def _shaken(scene: Scene, site: str) -> bool:
    """Whether something right below a firewall has failed: then its flapping would not be told from that."""
    roles = ("fw", "core", "sw", "host", "nas")
    return any(scene.client.busy.get(a, START) > scene.at for role in roles for a in scene.client.of(site, role))


FAULTS: tuple[tuple[Callable[[Scene], Iterator[Raw]], float], ...] = (
    (switch_down, 2), (database_down, 4), (host_down, 2), (storage_slow, 1), (bad_update, 3), (many_tools, 4),
    (own_trouble, 5), (flapping, 2),
)  # fmt: skip


def nightly(client: Client, chance: random.Random) -> Iterator[Raw]:
    """The same backups fail each night; each night is an incident of its own."""
    jobs = chance.sample([a for site in client.sites for a in client.of(site, "db")], 2)
    for night in range(HOURS // 24):
        for number, asset in enumerate(jobs):
            at = START + timedelta(days=night, hours=2, minutes=20 * number)
            scene = Scene(client, f"{client.name}-night{night}-{number}", at, chance, at + timedelta(minutes=40))
            yield scene.alert(asset, "backup_failed", "The backup of {a} ended with error {n}", tool="Veeam")


def _again(raw: Raw) -> Iterator[Raw]:
    """Some tools say it again every so often, until it is over."""
    every = AGAIN.get(raw.reading.tool_source)
    at = raw.at
    while every is not None and raw.over_at is not None and (at := at + every) < raw.over_at:
        yield replace(raw, at=at)


def make(*, seed: int, clients: int = 4) -> Labelled:
    """A stream of two days; the same for the same seed."""
    chance = random.Random(seed)
    raws: list[Raw] = []
    noise: list[Raw] = []
    edges: dict[str, dict[str, tuple[str, ...]]] = {}
    end = START + timedelta(hours=HOURS)
    for number in range(clients):
        client = _client(number)
        edges[client.name] = {a: others for a, others in client.edges.items() if others}
        at, count = START, 0
        while (at := at + timedelta(minutes=chance.expovariate(1 / (BETWEEN / timedelta(minutes=1))))) < end:
            count += 1
            [what] = chance.choices([f for f, _ in FAULTS], [weight for _, weight in FAULTS])
            over = at + timedelta(minutes=chance.uniform(10, 40))
            raws += what(Scene(client, f"{client.name}-{what.__name__}-{count}", at, chance, over))
        raws += nightly(client, chance)
        noise += noise_on(client.name, client.edges, START, end, chance)
    raws += [again for raw in raws for again in _again(raw)]
    return collect(f"generated, seed {seed}", [*raws, *noise], edges, (n.fault for n in noise))
