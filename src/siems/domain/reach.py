"""How a person is reached: contacts, rules, quiet hours; and what a notice becomes for one person (DOMAIN §12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from siems.vocabulary import Severity

ALL, PAGES = "all", "pages"
"""What a rule is about, where it does not name events."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What is particular to a channel, as far as deciding goes."""

    bundles: bool = True
    """Several messages within seconds become one; a chat keeps one per incident and updates it."""
    tells_all: bool = False
    """Without any rule it gets everything its owner is told, not only pages."""
    silent: bool = False
    """It wakes nobody, so quiet hours do not hold it."""
    critical_only: bool = False
    """Without a rule it is for CRITICAL pages only."""
    default: bool = True
    """Whether it is used without a rule at all."""


MANNERS: Mapping[str, Manner] = MappingProxyType(
    {
        "email": Manner(tells_all=True, silent=True),
        "sms": Manner(),
        "voice": Manner(critical_only=True, default=False),
        "slack": Manner(bundles=False, tells_all=True, silent=True),
        "teams": Manner(bundles=False, tells_all=True, silent=True),
        "webhook": Manner(bundles=False, tells_all=True, silent=True),
    }
)
_USUAL = Manner()


def manner_of(channel: str) -> Manner:
    """How a channel behaves; one that a plug-in brings is paged like a phone."""
    return MANNERS.get(channel, _USUAL)


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a person can be reached; the address itself stays sealed in its row."""

    id: str
    user_id: str
    channel: str
    hint: str


@dataclass(frozen=True, slots=True)
class Rule:
    """From which severity on, after which wait, by which contact. `about`: ALL, PAGES, or names of events."""

    id: str
    contact_id: str
    severity: Severity
    wait: timedelta = timedelta(0)
    about: tuple[str, ...] = (ALL,)
    company_id: str = ""

    def matches(self, notice: Notice) -> bool:
        if notice.severity < self.severity or self.company_id not in ("", notice.company_id):
            return False
        if self.wait and not notice.unacknowledged:
            return False  # it is for what nobody has answered by then
        return ALL in self.about or notice.event in self.about or (notice.pages and PAGES in self.about)


@dataclass(frozen=True, slots=True)
class Preferences:
    """When a person wants to be left alone. Times are of the wall clock of `zone`."""

    quiet_from: time | None = None
    quiet_until: time | None = None
    digest_at: time | None = None
    zone: str = "UTC"

    def quiet_end(self, at: datetime) -> datetime | None:
        """When the quiet hours that `at` lies in are over; None outside of them."""
        if self.quiet_from is None or self.quiet_until is None or self.quiet_from == self.quiet_until:
            return None
        local = at.astimezone(ZoneInfo(self.zone))
        now = local.time()
        over_midnight = self.quiet_from > self.quiet_until
        inside = (now >= self.quiet_from or now < self.quiet_until) if over_midnight else (
            self.quiet_from <= now < self.quiet_until
        )  # fmt: skip
        if not inside:
            return None
        day = local.date() + timedelta(days=1 if over_midnight and now >= self.quiet_from else 0)
        return _on_the_wall(day, self.quiet_until, self.zone, at)

    def next_digest(self, at: datetime) -> datetime | None:
        """When the next digest is due; None without one."""
        if self.digest_at is None:
            return None
        local = at.astimezone(ZoneInfo(self.zone))
        day = local.date() + timedelta(days=0 if local.time() < self.digest_at else 1)
        return _on_the_wall(day, self.digest_at, self.zone, at)


def _on_the_wall(day: date, clock: time, zone: str, after: datetime) -> datetime:
    """The first time after an instant at which a clock on the wall shows this: it may do so twice in a night."""
    for fold in (0, 1):
        found = datetime.combine(day, clock, ZoneInfo(zone)).replace(fold=fold).astimezone(UTC)
        if found > after:
            return found
    return _on_the_wall(day + timedelta(days=1), clock, zone, after)


@dataclass(frozen=True, slots=True)
class Reach:
    """Everything that is known of how one person is reached."""

    contacts: Sequence[Contact] = ()
    rules: Sequence[Rule] = ()
    preferences: Preferences = Preferences()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that people are told."""

    key: str
    """The same for the same happening."""
    event: str
    object: str
    company_id: str
    severity: Severity
    subject: str
    pages: bool = False
    """Somebody is to come, now."""
    unacknowledged: bool = False
    """An ack before it is sent cancels it."""
    delay: timedelta = timedelta(0)
    by_hand: bool = False
    """A person calls for somebody: quiet hours and shadow do not hold it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One message to one contact, with the rule that asks for it."""

    contact: Contact
    rule: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What one person gets beyond the inbox, and why not more."""

    messages: tuple[Planned, ...] = ()
    why: str = field(default="")


NOWHERE = Reach()
POLICY = "policy:"
"""What the contact of an address that a policy names is called: it has no row."""


def plan(reach: Reach, notice: Notice, *, now: datetime) -> Plan:
    """The messages of one person for a notice: by their rules, else by sensible defaults."""
    if not reach.contacts:
        return Plan(why="inbox only: there is no contact")
    wanted = _by_rules(reach, notice) if reach.rules else _by_default(reach, notice)
    if not wanted and notice.pages:
        # rules say how somebody is woken, not that they hear nothing of it
        wanted = [one for one in _by_default(reach, notice) if one[0].channel == "email"]
    best: dict[str, tuple[timedelta, str, str, Contact]] = {}
    for contact, wait, rule, why in wanted:
        if contact.id not in best or wait < best[contact.id][0]:
            best[contact.id] = (wait, rule, why, contact)
    if not best:
        said = "no rule matches" if reach.rules else "no contact takes it by default"
        kind = "page" if notice.pages else "message"
        return Plan(why=f"inbox only: {said} a {notice.severity.name} {kind} about {notice.event}")
    found = []
    for wait, rule, why, contact in sorted(best.values(), key=lambda b: b[0]):
        at, note = _when(reach.preferences, notice, contact, now + notice.delay + wait)
        found.append(Planned(contact, rule, at, f"{why}{note}"))
    return Plan(tuple(found))


def _by_rules(reach: Reach, notice: Notice) -> list[tuple[Contact, timedelta, str, str]]:
    known = {contact.id: contact for contact in reach.contacts}
    found = []
    for rule in reach.rules:
        contact = known.get(rule.contact_id)
        if contact is not None and rule.matches(notice):
            after = f" after {_span(rule.wait)} without an ack" if rule.wait else ""
            found.append(
                (contact, rule.wait, rule.id, f"{rule.id}: {contact.channel} from {rule.severity.name}{after}")
            )
    return found


def _by_default(reach: Reach, notice: Notice) -> list[tuple[Contact, timedelta, str, str]]:
    found = []
    for contact in reach.contacts:
        manner = manner_of(contact.channel)
        if not manner.default or (manner.critical_only and notice.severity is not Severity.CRITICAL):
            continue
        if notice.pages or manner.tells_all:
            said = f"default: {contact.channel} for {'everything' if manner.tells_all else 'pages'}"
            found.append((contact, timedelta(0), "default", said))
    return found


def _when(preferences: Preferences, notice: Notice, contact: Contact, at: datetime) -> tuple[datetime, str]:
    """Not in quiet hours, and what is LOW with the next digest; CRITICAL at once."""
    if notice.severity is Severity.CRITICAL or notice.by_hand:
        return at, ""
    if notice.severity is Severity.LOW and not notice.pages and (digest := preferences.next_digest(at)) is not None:
        return digest, f", with the digest at {preferences.digest_at:%H:%M}"
    if not manner_of(contact.channel).silent and (end := preferences.quiet_end(at)) is not None:
        return end, f", held by quiet hours until {preferences.quiet_until:%H:%M}"
    return at, ""


def _span(wait: timedelta) -> str:
    minutes, seconds = divmod(int(wait.total_seconds()), 60)
    return f"{minutes}m{seconds}s" if minutes and seconds else f"{minutes}m" if minutes else f"{seconds}s"


# --- sending ---------------------------------------------------------------------------------------------------

RETRIES: tuple[timedelta, ...] = tuple(timedelta(seconds=s) for s in (5, 30, 120, 300, 600))
JITTER = 0.2
LEASE = timedelta(seconds=20)
PROVIDER_SECONDS = 10.0
CALM = timedelta(minutes=10)
"""Whoever heard nothing of a company for so long hears of it at once."""
GATHER = timedelta(seconds=15)
"""What comes for one contact within this time after a message goes together."""
LISTED = 10
"""So many are listed in one message; the others are counted."""


def retry_at(attempt: int, *, now: datetime, chance: float, retry_after: float | None = None) -> datetime | None:
    """When try number `attempt` + 1 is due; None when the tries are used up. `chance`: 0 to 1, spreads them."""
    if attempt > len(RETRIES):
        return None
    wait = RETRIES[attempt - 1] * (1 + JITTER * (2 * chance - 1))
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=min(retry_after, 3_600.0)))
    return now + wait


def hint_of(channel: str, address: str) -> str:
    """Enough of an address to know it by, and nothing that opens a door: numbers end, links name their host."""
    if channel == "email":
        return address[:64]
    if address.startswith("{"):  # a subscription
        return "a browser"
    if "://" in address:
        scheme, _, rest = address.partition("://")
        host = rest.split("/")[0].split("?")[0].rsplit("@", 1)[-1]
        return f"{scheme}://{host}/..."[:64] if channel != "apprise" else f"{scheme}://..."
    return f"...{address[-4:]}" if len(address) > 6 else "..."
