"""What the writer keeps in memory, so that placing an alert reads nothing.

Only the writer thread looks here, and changes it only through the journal of the running batch; on start, and
when another daemon has written, a company's part is rebuilt from the database.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from sys import intern
from typing import Any

from sqlalchemy import Connection, or_, select

from siems.domain import sla
from siems.domain.alert import Alert
from siems.domain.changing import replace
from siems.domain.company import Company, CompanySettings
from siems.domain.correlation import Key, Rules
from siems.domain.escalation import Policy
from siems.domain.heartbeat import Heartbeat
from siems.domain.incident import Incident
from siems.domain.parent import Parent
from siems.domain.reach import Reach
from siems.domain.self_heal import HealRule
from siems.domain.silence import Silence
from siems.domain.ticket import Ticket, TicketAccount
from siems.domain.topology import Topology
from siems.domain.trails import Trails
from siems.storage import tables as t
from siems.storage.indexing import give_key, index_alert, keys_for, sight, wide_key
from siems.storage.inventory import load_assets
from siems.storage.journal import Journal
from siems.storage.people import Person as Person
from siems.storage.people import load_people
from siems.storage.policy_rows import policy_from, policy_json
from siems.storage.reaching import Follower, load_followers, load_reach
from siems.storage.repositories.heartbeats import heartbeats_of
from siems.storage.repositories.oncall import Rota
from siems.storage.repositories.parents import open_parents
from siems.storage.repositories.policies import policy_in_force
from siems.storage.repositories.runs import heals_of
from siems.storage.repositories.silences import not_over
from siems.storage.repositories.tickets import accounts_of, tickets_not_closed
from siems.storage.rows import alert_from, content_name, incident_from, settings_from
from siems.storage.sla_rows import terms_from, terms_json
from siems.vocabulary import MSP, AlertStatus, State

SAID_KEPT = 10_000
TEXTS_KEPT = 2_000
LONGEST_TEXT = 512
"""Of how many messages there is one, and how long they may be: what one trouble says of many assets."""


@dataclass(slots=True)
class CompanyMemory:
    """One company: its settings, its incidents that are not closed, its active and suppressed alerts, how they are
    found, and its silences that are not over."""

    id: str
    name: str
    version: int
    settings: CompanySettings
    sla_snapshot: str
    policy_snapshot: str
    policy: Policy
    incidents: dict[int, Incident] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    active_of: dict[int, dict[str, None]] = field(default_factory=dict)
    keys: dict[Key, int] = field(default_factory=dict)
    keys_of: dict[int, dict[Key, None]] = field(default_factory=dict)
    trails: Trails = field(default_factory=Trails)
    waiting: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    assets: dict[str, bool] = field(default_factory=dict)
    depends_on: dict[str, tuple[str, ...]] = field(default_factory=dict)
    topology: Topology = field(init=False)
    """What was found in `depends_on`: another one whenever that changes."""
    folded_into: dict[int, int] = field(default_factory=dict)
    """Where incidents went lately that were folded into others, for those who saw them before."""
    seen_at: dict[str, datetime] = field(default_factory=dict)
    """When it was written down that an asset was seen."""
    heartbeats: dict[str, Heartbeat] = field(default_factory=dict)
    silences: dict[int, Silence] = field(default_factory=dict)
    workload: dict[str, int] = field(default_factory=dict)
    """How many open incidents each user has here."""
    ticket_accounts: dict[str, TicketAccount] = field(default_factory=dict)
    heals: dict[str, HealRule] = field(default_factory=dict)
    tickets: dict[int, tuple[Ticket, ...]] = field(default_factory=dict)
    """The links of its incidents, by incident."""

    def __post_init__(self) -> None:
        self.topology = Topology(self.depends_on)

    @property
    def rules(self) -> Rules:
        return self.settings.rules


class Seen:
    """What a correlation strategy may look at: one company's memory at one moment."""

    __slots__ = ("_company", "_now")

    def __init__(self, company: CompanyMemory, now: datetime) -> None:
        self._company = company
        self._now = now

    @property
    def trails(self) -> Trails:
        return self._company.trails

    @property
    def topology(self) -> Topology:
        return self._company.topology

    def by_key(self, key: Key) -> Incident | None:
        number = self._company.keys.get(key)
        return None if number is None else self._company.incidents.get(number)

    def incident(self, incident_id: int) -> Incident | None:
        company = self._company
        while (found := company.incidents.get(incident_id)) is None:
            into = company.folded_into.get(incident_id)
            if into is None:
                return None
            incident_id = into
        return found

    def waiting(self, key: Key) -> Sequence[str]:
        return tuple(fingerprint for fingerprint in self._company.waiting.get(key, ()) if self.held(fingerprint))

    def held(self, fingerprint: str) -> int:
        alert = self._company.alerts.get(fingerprint)
        if alert is None or alert.incident_id is not None or alert.status is not AlertStatus.ACTIVE:
            return 0
        return alert.count if self._now - alert.last_seen_at <= self._company.rules.window else 0


class Memory:
    """All companies, the people, the numbers given out, the ends of the audit chains."""

    def __init__(self) -> None:
        self.companies: dict[str, CompanyMemory] = {}
        self.people: dict[str, Person] = {}
        self.people_loaded: dict[str, bool] = {}
        self.channels: frozenset[str] = frozenset()
        """The channels that are set up; without any, everything stays in the inbox."""
        self.reach: dict[str, Reach] = {}
        self.followers: dict[str, tuple[Follower, ...]] = {}
        self.rota: Rota | None = None
        self.rota_loaded: dict[str, bool] = {}
        self.parents: dict[int, Parent] = {}
        """What groups incidents of several clients, and is open."""
        self.counters: dict[str, int] = {}
        self.heads: dict[str, tuple[int, str]] = {}
        self.repeated: dict[int, Alert] = {}
        """Alerts whose last repeats are in the log, and not yet in their rows."""
        self.folded_at = 0.0
        self.folding = False
        """They are being written by a transaction that is not committed."""
        self._said: dict[str, tuple[Mapping[str, str], tuple[str, ...]]] = {}
        self._texts: dict[str, str] = {}
        self.terms: dict[str, sla.Terms] = {}
        self.policies: dict[str, Policy] = {}

    def shared(self, alert: Alert) -> Alert:
        """The alert as it is kept here: of what many alerts say alike there is one."""
        said = repr((alert.labels, alert.links))
        found = self._said.get(said)
        if found is None:
            if len(self._said) > SAID_KEPT:
                self._said.clear()
            found = self._said[said] = alert.labels, alert.links
        received = alert.received_at
        return replace(
            alert, labels=found[0], links=found[1], message=self._text(alert.message),
            asset_name=intern(alert.asset_name), signature=intern(alert.signature),
            tool_source=intern(alert.tool_source), original_severity=intern(alert.original_severity),
            company_id=intern(alert.company_id), rule=intern(alert.rule), evidence=intern(alert.evidence),
            starts_at=received if alert.starts_at == received else alert.starts_at,
            last_seen_at=received if alert.last_seen_at == received else alert.last_seen_at,
        )  # fmt: skip

    def _text(self, message: str) -> str:
        """The message, as another alert has said it lately."""
        if len(message) > LONGEST_TEXT:
            return message
        if len(self._texts) > TEXTS_KEPT:
            self._texts.clear()
        return self._texts.setdefault(message, message)

    # --- loading -----------------------------------------------------------------------------------------------

    def load_company(self, connection: Connection, company_id: str) -> CompanyMemory | None:
        """Rebuild one company from the database. Its journal must be empty of it: called before verbs run."""
        row = connection.execute(select(t.company).where(t.company.c.id == company_id)).first()
        if row is None:
            self.companies.pop(company_id, None)
            return None
        company = Company(
            id=row.id, name=row.name, created_at=row.created_at, active=row.active, settings=settings_from(row.settings)
        )  # fmt: skip
        policy = policy_in_force(connection, company.settings.policy_id)
        memory = self.new_company(company, policy, version=row.cache_version)
        self.companies[company_id] = memory
        self.people_loaded.clear()
        self.rota_loaded.clear()
        head = connection.execute(select(t.audit_head).where(t.audit_head.c.chain == company_id)).first()
        self.heads.pop(company_id, None)
        if head is not None:
            self.heads[company_id] = (head.seq, head.hash)
        if company_id == MSP:
            self.parents = open_parents(connection)
        load_assets(connection, memory)
        _load_open(connection, memory, self.shared)
        return memory

    def new_company(self, company: Company, policy: Policy, *, version: int = 0) -> CompanyMemory:
        """An empty memory for a company, with its settings and its policy named by their content."""
        settings = company.settings
        return CompanyMemory(
            company.id, company.name, version, settings, self.remember_terms(settings.terms),
            self.remember_policy(policy), policy,
        )  # fmt: skip

    def load_people(self, connection: Connection) -> None:
        self.people = load_people(connection)
        self.reach, self.followers = load_reach(connection, self.channels), load_followers(connection)
        self.people_loaded[MSP] = True

    def load_counters(self, connection: Connection) -> None:
        rows = connection.execute(select(t.counter.c.name, t.counter.c.value))
        self.counters = {row.name: row.value for row in rows}

    # --- snapshots ---------------------------------------------------------------------------------------------

    def remember_terms(self, terms: sla.Terms) -> str:
        name = content_name("sla", terms_json(terms))
        self.terms[name] = terms
        return name

    def remember_policy(self, policy: Policy) -> str:
        name = content_name("policy", policy_json(policy))
        self.policies[name] = policy
        return name

    def terms_named(self, connection: Connection, name: str) -> sla.Terms:
        if name not in self.terms:
            self.terms[name] = terms_from(_snapshot_body(connection, name))
        return self.terms[name]

    def policy_named(self, connection: Connection, name: str) -> Policy:
        if name not in self.policies:
            self.policies[name] = policy_from(_snapshot_body(connection, name))
        return self.policies[name]


def _snapshot_body(connection: Connection, name: str) -> dict[str, Any]:
    body = connection.execute(select(t.snapshot.c.body).where(t.snapshot.c.id == name)).scalar_one()
    found: dict[str, Any] = json.loads(body)
    return found


def _load_open(connection: Connection, company: CompanyMemory, shared: Callable[[Alert], Alert]) -> None:
    """Incidents that are not closed and alerts that are active; keys are derived from them."""
    journal = Journal()
    i, a = t.incident.c, t.alert.c
    rows = connection.execute(
        select(*t.raw_columns(t.incident)).where(i.company_id == company.id, i.state != State.CLOSED.value)
    )
    for row in rows:
        incident = incident_from(row)
        company.incidents[incident.id] = incident
        if incident.assignee is not None and incident.open:
            company.workload[incident.assignee] = company.workload.get(incident.assignee, 0) + 1
        if incident.folded:
            give_key(journal, company, incident.id, wide_key(incident.signature))
    # a closed incident's alerts were resolved with it, so what is active belongs to an open one or to none
    alerts = connection.execute(
        select(*t.raw_columns(t.alert))
        .select_from(t.alert.outerjoin(t.incident, i.id == a.incident_id))
        .where(
            a.company_id == company.id,
            or_(a.status != AlertStatus.RESOLVED.value, i.state != State.CLOSED.value),
        )
        .order_by(a.last_seen_at, a.id)
    )
    recent: deque[Alert] = deque()
    for row in alerts:
        alert = shared(alert_from(row))
        if alert.status is not AlertStatus.RESOLVED:
            company.alerts[alert.fingerprint] = alert
            if alert.incident_id is not None:
                company.active_of.setdefault(alert.incident_id, {})[alert.fingerprint] = None
        if alert.status is AlertStatus.SUPPRESSED:
            continue
        if alert.incident_id is None or alert.incident_id in company.incidents:
            index_alert(journal, company, alert, keys_for(alert, company.rules), seen=False)
            recent.append(alert)
        while recent and recent[0].last_seen_at < alert.last_seen_at - company.rules.window:
            _spread(journal, company, recent.popleft())
    for alert in recent:
        sight(journal, company, alert)
    company.heartbeats.update((beat.id, beat) for beat in heartbeats_of(connection, company.id))
    company.silences.update((silence.id, silence) for silence in not_over(connection, company.id))
    company.ticket_accounts.update((account.id, account) for account in accounts_of(connection, company.id))
    company.tickets.update(tickets_not_closed(connection, company.id))
    company.heals.update(heals_of(connection, company.id))
    journal.forget()


def _spread(journal: Journal, company: CompanyMemory, alert: Alert) -> None:
    """Of what is older than the window only that counts which goes on to spread."""
    incident = company.incidents.get(alert.incident_id or 0)
    if incident is not None and incident.open and incident.asset_count > 1:
        sight(journal, company, alert)
