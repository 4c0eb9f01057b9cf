"""A client that is being described: what is asked, what is wrong with it, and the command that says the same."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from siems import places
from siems.tui.questions import QUESTIONS, RATE, WINDOW, Question
from siems.wire import CompanyView


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
        names = [one.name for one in QUESTIONS if not one.new_only] if self.company_id else _LATE
        told: dict[str, Any] = {}
        for name in names:
            text = self.get(name)
            field_name, value = _FIELDS.get(name, name), _typed(name, text) if text else None
            usual = not self.company_id and _DEFAULTS.get(field_name) == value
            if text and text != self.before.get(name, "") and not usual:
                told[field_name] = value
        return told

    def rules(self) -> dict[str, Any]:
        """The fields of `wire.CorrelationAsk`, what was left empty as it is by default."""
        wrong = {one.name for one, _ in self.faults()}
        given = {name: _typed(name, self.get(name)) for name in _RULES if self.get(name) and name not in wrong}
        return {ask: given.get(name, usual) for name, (ask, usual) in _RULES.items()}

    def window(self) -> dict[str, Any] | None:
        """The fields of `wire.SilenceAsk` for the maintenance window, but for its company and beginning."""
        found = WINDOW.fullmatch(self.get("maintenance"))
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
        if rest := _flags(self.settings()):
            lines.append(f"siems company edit {slug}{rest}")
        if found := WINDOW.fullmatch(self.get("maintenance")):
            days, at, span = found.groups()
            first, often = ("", "daily") if days in (None, "daily") else (f"{days.split(',')[0]} ", f"weekly {days}")
            lines.append(
                f"siems maintenance create --company {slug} --match 'asset=*' --from '{first}{at}' --for {span} "
                f"--repeat '{often}' --tz {self.get('time_zone') or 'UTC'} --reason 'maintenance window'"
            )
        return lines


_LATE = (
    "oncall", "assign", "burst", "paging", "enabled", "strategy", "window", "min_alerts", "auto_resolve", "quiet",
)  # fmt: skip
"""What is set after a client was made, because its creation does not take it."""
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
    "assign": "manual",
    "correlation_enabled": True,
    "strategy": "auto",
    "auto_resolve": True,
}
_RULES: Mapping[str, tuple[str, Any]] = {
    "enabled": ("enabled", True),
    "strategy": ("strategy", "auto"),
    "window": ("window_minutes", 15),
    "min_alerts": ("min_alerts", 1),
    "auto_resolve": ("auto_resolve", True),
    "quiet": ("quiet_minutes", 5),
}
"""What a rule is called in `wire.CorrelationAsk`, and what it is by default."""
_EDIT_FLAGS = {
    "name": "name",
    "sla": "sla",
    "time_zone": "tz",
    "hours": "hours",
    "holidays": "holidays",
    "policy": "policy",
    "oncall": "oncall",
    "assign": "assign",
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
    found = RATE.fullmatch(text)
    if found is None:
        return None
    return max(1, int(int(found[1]) * {"s": 60.0, "h": 1 / 60}.get(found[2] or "min", 1.0)))


def slug_of(name: str) -> str:
    """What the daemon would make of a name, about."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]


def of(company: CompanyView, policy: str) -> Draft:
    """A client as it stands, to be changed; `policy` is the name of its escalation policy."""
    known, plan = company.correlation, company.sla_plan
    values = {
        "name": company.name,
        "sla": plan.tier,
        "time_zone": plan.time_zone,
        "hours": plan.calendar.hours if plan.calendar else "",
        "holidays": (plan.calendar.holidays or "") if plan.calendar else "",
        "policy": policy,
        "oncall": company.oncall,
        "assign": company.assign,
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
