"""What is asked about a client, tab by tab, and what is wrong with an answer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

TABS = ("Basic info", "Security", "Correlation", "Review & create")
ASSIGNMENTS = ("manual", "best_match", "round_robin", "least_loaded", "on_call")
STRATEGIES = ("auto", "asset|signature", "asset|signature|tool", "signature", "asset")
RATE = re.compile(r"([1-9]\d{0,8})(?:/(min|s|h))?")
_SPAN = re.compile(r"[1-9]\d{0,3}[dhwm]")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,38}[a-z0-9]?")
_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)"
WINDOW = re.compile(rf"(?:(daily|{_DAY}(?:,{_DAY})*) )?((?:[01]\d|2[0-3]):[0-5]\d) for ([1-9]\d{{0,3}}[mh])")


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
    return "" if RATE.fullmatch(text) else "a rate such as 600/min"


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
    try:
        good = bool(_SPAN.fullmatch(text) or date.fromisoformat(text))
    except ValueError:
        good = False
    return "" if good else "a length such as 180d, or a day such as 2027-01-31"


def _window(text: str) -> str:
    return "" if WINDOW.fullmatch(text) else "such as  sun 02:00 for 4h  or  daily 03:00 for 30m"


QUESTIONS: tuple[Question, ...] = (
    Question("name", 0, "Name *", "the client's name", needed=True),
    Question("slug", 0, "Slug", "made from the name; used in ids and commands", check=_slug, new_only=True),
    Question("sla", 0, "SLA tier *", "its targets and hours", choices=("silver",), needed=True),
    Question("time_zone", 0, "Time zone *", "Europe/Oslo", needed=True, check=_zone),
    Question("hours", 0, "Business hours", "of the tier; such as Mon-Fri 08:00-17:00"),
    Question("holidays", 0, "Holidays", "of a country, such as NO or DE-BY"),
    Question("policy", 0, "Escalation policy", "", choices=("default",)),
    Question("oncall", 0, "On-call schedule", "the default one; a name of siems oncall schedule list"),
    Question("assign", 0, "Assignment", "", choices=ASSIGNMENTS),
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
