"""A client that is being described: what is asked, what is wrong with it, and the command that says the same."""

from __future__ import annotations

import ipaddress
import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from siems import places
from siems.wire import CompanyView

TABS = ("Basic info", "Security", "Correlation", "Review & create")
STRATEGIES = ("auto", "asset|signature", "asset|signature|tool", "signature", "asset")
_RATE = re.compile(r"([1-9]\d{0,8})(?:/(min|s|h))?")
_SPAN = re.compile(r"\d+[dhwm]|\d{4}-\d\d-\d\d")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,38}[a-z0-9]?")
_WINDOW = re.compile(
    r"(?:(daily|(?:mon|tue|wed|thu|fri|sat|sun)(?:,(?:mon|tue|wed|thu|fri|sat|sun))*) )?(\d\d:\d\d) for (\d+[mh])"
)


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a tab. With `choices` it is chosen, else typed; `check` answers what is wrong with a text."""

    name: str
    tab: int
    label: str
    hint: str = ""
    choices: tuple[str, ...] = ()
    needed: bool = False
    check: Callable[[str], str] = lambda text: ""
    new_only: bool = False


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        return "a time zone such as Europe/Oslo"
    return ""


def _rate(text: str) -> str:
    return "" if _RATE.fullmatch(text) else "a rate such as 600/min"


def _number(low: int, high: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        return "" if text.isdigit() and low <= int(text) <= high else f"a number from {low} to {high}"

    return check


def _networks(text: str) -> str:
    for part in text.replace(",", " ").split():
        try:
            ipaddress.ip_network(part)
        except ValueError:
            return f"{part} is no network; write 192.0.2.0/24"
    return ""


def _slug(text: str) -> str:
    return "" if _SLUG.fullmatch(text) else "small letters, digits and -"


def _expiry(text: str) -> str:
    return "" if _SPAN.fullmatch(text) else "a length such as 180d, or a day such as 2027-01-31"


def _window(text: str) -> str:
    return "" if _WINDOW.fullmatch(text) else "such as  sun 02:00 for 4h  or  daily 03:00 for 30m"


QUESTIONS: tuple[Question, ...] = (
    Question("name", 0, "Name *", "the client's name", needed=True),
    Question("slug", 0, "Slug", "made from the name; used in ids and commands", check=_slug, new_only=True),
    Question("sla", 0, "SLA tier *", "its targets and hours", choices=("silver",), needed=True),
    Question("time_zone", 0, "Time zone *", "Europe/Oslo", needed=True, check=_zone),
    Question("hours", 0, "Business hours", "those of the tier; such as Mon-Fri 08:00-17:00 (CRITICAL is always 24x7)"),
    Question("holidays", 0, "Holidays", "of a country, such as NO or DE-BY"),
    Question("policy", 0, "Escalation policy", "", choices=("default",)),
    Question("maintenance", 0, "Maintenance", "none; such as  sun 02:00 for 4h", check=_window, new_only=True),
    Question(
        "auth", 1, "Authentication", "", choices=("API key + HMAC signature", "API key only (weaker)"), new_only=True
    ),
    Question("networks", 1, "Allowed sources", "anywhere; such as 198.51.100.0/24", check=_networks, new_only=True),
    Question("rate", 1, "Rate limit", "60/min; above it 429, counted and shown", check=_rate),
    Question("burst", 1, "Burst", "120 at once", check=_number(1, 10_000_000)),
    Question("expires", 1, "Key expires", "never; such as 180d", check=_expiry, new_only=True),
    Question("paging", 1, "Paging", "", choices=("live", "shadow")),
    Question("enabled", 2, "Correlation", "", choices=("on", "off")),
    Question("strategy", 2, "Strategy", "", choices=STRATEGIES),
    Question("window", 2, "Window, minutes", "15; counted from the last alert", check=_number(5, 60)),
    Question(
        "min_alerts", 2, "Minimum alerts", "1; below it an alert waits, CRITICAL never does", check=_number(1, 1_000)
    ),
    Question("auto_resolve", 2, "Auto-resolve", "", choices=("on", "off")),
    Question("quiet", 2, "Quiet delay, min", "5; from the last recovery to the resolution", check=_number(0, 1_440)),
)
MEANS: Mapping[str, str] = {
    "auto": "same signature on the same asset; one signature on 3 assets becomes one incident",
    "asset|signature": "one incident for each signature on each asset",
    "asset|signature|tool": "the same, apart for each tool",
    "signature": "one incident for a signature on any asset",
    "asset": "one incident for all that happens on an asset",
}


@dataclass
class Draft:
    """The answers so far, by the names of the questions; `company_id` when it is no new client."""

    values: dict[str, str] = field(default_factory=dict)
    company_id: str = ""
    before: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def asked(self, questions: Sequence[Question]) -> list[Question]:
        """The questions that make sense for this draft."""
        return [one for one in questions if not (self.company_id and one.new_only)]

    def fault(self, one: Question) -> str:
        """What is wrong with an answer; "" when nothing is."""
        text = self.get(one.name)
        if not text:
            return "is needed" if one.needed else ""
        return "" if one.choices else one.check(text)

    def faults(self) -> list[tuple[Question, str]]:
        return [(one, why) for one in self.asked(QUESTIONS) if (why := self.fault(one))]

    # --- what is sent ---------------------------------------------------------------------------------------

    def onboarding(self, expires_at: str) -> dict[str, Any]:
        """The fields of `wire.OnboardAsk`."""
        return {
            "name": self.get("name"),
            "slug": self.get("slug") or None,
            "sla": self.get("sla") or None,
            "time_zone": self.get("time_zone") or None,
            "hours": self.get("hours") or None,
            "holidays": self.get("holidays") or None,
            "policy": self.get("policy") or None,
            "rate_per_minute": per_minute(self.get("rate")),
            "auth": "key" if self.get("auth").startswith("API key only") else "hmac",
            "networks": self.get("networks").replace(",", " ").split() or None,
            "expires_at": expires_at or None,
        }

    def settings(self) -> dict[str, Any]:
        """The fields of `wire.CompanyEdit` that differ from what stood there; for a new client, those that its
        creation does not take."""
        late = ("burst", "paging", "enabled", "strategy", "window", "min_alerts", "auto_resolve", "quiet")
        names = [one.name for one in QUESTIONS if not one.new_only] if self.company_id else list(late)
        told: dict[str, Any] = {}
        for name in names:
            text = self.get(name)
            if text and text != self.before.get(name, ""):
                told[_FIELDS.get(name, name)] = _typed(name, text)
        return told

    def window(self) -> dict[str, Any] | None:
        """The fields of `wire.SilenceAsk` for the maintenance window, but for its company and beginning."""
        found = _WINDOW.fullmatch(self.get("maintenance"))
        if found is None:
            return None
        days, at, span = found.groups()
        seconds = int(span[:-1]) * (3_600 if span.endswith("h") else 60)
        repeat = "daily" if days in (None, "daily") else f"weekly {days}"
        return {"at": at, "days": days or "daily", "seconds": seconds, "repeat": repeat}

    # --- the same from a shell ------------------------------------------------------------------------------

    def commands(self) -> list[str]:
        """The command lines that do the same."""
        if self.company_id:
            flags = _flags(self.settings())
            return [f"siems company edit {self.company_id.removeprefix('comp-')}{flags}"] if flags else []
        parts = [f"siems company onboard {shlex.quote(self.get('name') or 'NAME')}"]
        for flag, name in _ONBOARD_FLAGS.items():
            text = self.get(name)
            if text and not (name == "policy" and text == "default"):
                parts.append(f"--{flag} {shlex.quote(text)}")
        if self.get("auth").startswith("API key only"):
            parts.append("--auth key")
        parts += [f"--allow-cidr {net}" for net in self.get("networks").replace(",", " ").split()]
        lines, slug = [" ".join(parts)], self.get("slug") or slug_of(self.get("name")) or "NAME"
        rest = _flags({name: value for name, value in self.settings().items() if _DEFAULTS.get(name) != value})
        return [*lines, *([f"siems company edit {slug}{rest}"] if rest else [])]


_FIELDS = {
    "enabled": "correlation_enabled",
    "window": "window_minutes",
    "quiet": "quiet_minutes",
    "rate": "rate_per_minute",
}
_ONBOARD_FLAGS = {
    "slug": "slug",
    "sla": "sla",
    "tz": "time_zone",
    "hours": "hours",
    "holidays": "holidays",
    "policy": "policy",
    "rate": "rate",
    "key-expires": "expires",
}
_DEFAULTS: Mapping[str, Any] = {
    "paging": "live",
    "correlation_enabled": True,
    "strategy": "auto",
    "auto_resolve": True,
}
_EDIT_FLAGS = {
    "name": "name",
    "sla": "sla",
    "time_zone": "tz",
    "hours": "hours",
    "holidays": "holidays",
    "policy": "policy",
    "rate_per_minute": "rate",
    "burst": "burst",
    "paging": "paging",
    "correlation_enabled": "correlation",
    "strategy": "strategy",
    "window_minutes": "window",
    "min_alerts": "min-alerts",
    "auto_resolve": "auto-resolve",
    "quiet_minutes": "quiet-delay",
}


def _flags(told: Mapping[str, Any]) -> str:
    words = []
    for name, value in told.items():
        flag = _EDIT_FLAGS[name]
        match value:
            case bool():
                words.append(f"--{'' if value else 'no-'}{flag}")
            case int() if flag == "rate":
                words.append(f"--rate {value}/min")
            case int() if flag in ("window", "quiet-delay"):
                words.append(f"--{flag} {value}m")
            case _:
                words.append(f"--{flag} {shlex.quote(str(value))}")
    return "".join(f" {word}" for word in words)


def _typed(name: str, text: str) -> Any:
    if name == "rate":
        return per_minute(text)
    if name in ("enabled", "auto_resolve"):
        return text == "on"
    return int(text) if name in ("burst", "window", "min_alerts", "quiet") else text


def per_minute(text: str) -> int | None:
    """600 from `600/min`, `10/s`, `36000/h` or `600`; None from anything else."""
    found = _RATE.fullmatch(text)
    if found is None:
        return None
    return max(1, int(int(found[1]) * {"s": 60.0, "h": 1 / 60}.get(found[2] or "min", 1.0)))


def slug_of(name: str) -> str:
    """What the daemon would make of a name, about."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]


def of(company: CompanyView) -> Draft:
    """A client as it stands, to be changed."""
    known, plan = company.correlation, company.sla_plan
    values = {
        "name": company.name,
        "sla": plan.tier,
        "time_zone": plan.time_zone,
        "hours": plan.calendar.hours if plan.calendar else "",
        "holidays": (plan.calendar.holidays or "") if plan.calendar else "",
        "policy": company.policy,
        "rate": f"{company.rate_per_minute}/min",
        "burst": str(company.burst),
        "paging": company.paging,
        "enabled": "on" if known.enabled else "off",
        "strategy": known.strategy,
        "window": str(known.window_minutes),
        "min_alerts": str(known.min_alerts),
        "auto_resolve": "on" if known.auto_resolve else "off",
        "quiet": str(known.quiet_minutes),
    }
    return Draft(dict(values), company.id, values)


# --- a draft outlives its session --------------------------------------------------------------------------------


def keep(draft: Draft) -> None:
    """Write a new client's draft down; nothing secret is in it. A disk that refuses is no reason to stop typing."""
    try:
        places.write_private(_file(), json.dumps(draft.values))
    except OSError:
        return


def kept() -> Draft:
    """The draft that was left, or an empty one."""
    try:
        found = json.loads(_file().read_text())
    except (OSError, ValueError):
        return Draft()
    names = {one.name for one in QUESTIONS}
    return Draft(
        {k: v for k, v in found.items() if k in names and isinstance(v, str)} if isinstance(found, dict) else {}
    )


def forget() -> None:
    _file().unlink(missing_ok=True)


def _file() -> Any:
    return places.state_dir() / "onboarding.json"
