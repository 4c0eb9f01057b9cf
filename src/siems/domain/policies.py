"""Escalation policies as people write them: a document in, a policy out, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from difflib import get_close_matches
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from siems.domain.conditions import DAYS, EVERY_DAY, Condition, Window, days_text, severities_text
from siems.domain.escalation import Policy, Step, StepTarget, TargetKind
from siems.domain.strategies import STRATEGIES
from siems.errors import InvalidField, NotFound
from siems.grammar import parse_span
from siems.vocabulary import Role, Severity

MOST_STEPS = 20
MOST_TARGETS = 20
MOST_REPEATS = 5
LONGEST_WAIT = timedelta(days=7)
LONGEST_URL = 2_000
_HOOK = re.compile(r"(hook-[0-9a-f]{8})( .{1,100})?")
_POLICY = ("name", "repeat", "reassign", "opening_hours", "ack_timeout", "strategies", "steps")
_STEP = ("targets", "wait", "important", "when")
_WHEN = ("severity", "priority", "days", "from", "until", "zone")
_PAGED_ROLES = (Role.TECHNICIAN, Role.MANAGER, Role.ADMIN)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPolicy:
    """A policy as an object: who owns it (a company, or `msp`), and which version of it this is."""

    id: str
    company_id: str
    policy: Policy
    version: int
    created_at: datetime
    changed_at: datetime

    @property
    def name(self) -> str:
        return self.policy.name


# --- reading -----------------------------------------------------------------------------------------------------


def policy_from_document(name: str, document: Any) -> Policy:
    """The policy that a document describes. Raises InvalidField naming the step and the field."""
    data = _fields("the policy", document, _POLICY)
    steps = data.get("steps")
    if not isinstance(steps, Sequence) or isinstance(steps, str) or not steps:
        raise InvalidField("a policy needs steps", hint="steps:\n  - targets: owner\n    wait: 15m")
    if len(steps) > MOST_STEPS:
        raise InvalidField(f"a policy has at most {MOST_STEPS} steps, not {len(steps)}")
    given: dict[str, Any] = {}
    if data.get("ack_timeout") is not None:
        given["ack_timeouts"] = _named("ack_timeout", lambda: _spans(data["ack_timeout"], off=True))
    if data.get("strategies") is not None:
        given["strategies"] = _named("strategies", lambda: _strategies(data["strategies"]))
    return Policy(
        name=name,
        steps=tuple(_step(number, step) for number, step in enumerate(steps, 1)),
        repeat=_named("repeat", lambda: _number(data.get("repeat", 2), 0, MOST_REPEATS)),
        reassign=_named("reassign", lambda: _flag(data.get("reassign", True))),
        opening_hours=_named("opening_hours", lambda: _flag(data.get("opening_hours", False))),
        **given,
    )


def _step(level: int, document: Any) -> Step:
    data = _fields(f"step {level}", document, _STEP)
    where = f"step {level}, "
    return Step(
        level,
        _named(f"{where}targets", lambda: _targets(data.get("targets"))),
        _named(f"{where}wait", lambda: _spans(data.get("wait"))),
        _named(f"{where}important", lambda: _flag(data.get("important", True))),
        _named(f"{where}when", lambda: _condition(data.get("when"))),
    )


def _named(where: str, read: Callable[[], T]) -> T:
    """Say where it is that something is wrong."""
    try:
        return read()
    except (InvalidField, NotFound) as why:
        raise InvalidField(f"{where}: {why.message}", hint=why.hint) from why


def _fields(what: str, document: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise InvalidField(f"{what} is no mapping of names to values", hint=f"it takes: {', '.join(known)}")
    for name in document:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it takes: {', '.join(known)}"
            raise InvalidField(f"{what} takes no {str(name)[:40]!r}", hint=hint)
    return document


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidField(f"{value!r} is neither true nor false", hint="true or false")
    return value


def _number(value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidField(f"{value!r} is no number from {low} to {high}", hint=f"{low} to {high}")
    return value


def _severity(word: Any) -> Severity:
    found = Severity.__members__.get(str(word).strip().upper())
    if found is None:
        raise InvalidField(f"{str(word)[:40]!r} is no severity", hint="LOW, MEDIUM, HIGH or CRITICAL")
    return found


def _spans(value: Any, *, off: bool = False) -> Mapping[Severity, timedelta]:
    """`5m` for every severity, or a mapping of severities; `off` for none."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        pairs = [(_severity(word), span) for word, span in value.items()]
    else:
        pairs = [(severity, value) for severity in Severity]
    return {severity: _span(span) for severity, span in sorted(pairs) if not (off and span in ("off", False, None))}


def _span(value: Any) -> timedelta:
    span = parse_span(str(value)) if not isinstance(value, bool) else timedelta(0)
    if not timedelta(seconds=1) <= span <= LONGEST_WAIT:
        raise InvalidField(f"{value!r} is not between 1s and 7d", hint="15m")
    return span


def _targets(value: Any) -> tuple[StepTarget, ...]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, Sequence) or not words:
        raise InvalidField("whom does it page?", hint="targets: [owner], role:manager, user:jon, schedule:night")
    if len(words) > MOST_TARGETS:
        raise InvalidField(f"a step has at most {MOST_TARGETS} targets")
    return tuple(dict.fromkeys(_target(str(word).strip()) for word in words))


def _target(word: str) -> StepTarget:
    kind, _, name = word.partition(":")
    name = name.strip()
    found = next((k for k in TargetKind if k.value == kind.strip().lower()), None)
    if found is None:
        known = "owner, oncall, user:NAME, role:ROLE, schedule:NAME, webhook:URL"
        raise InvalidField(f"{word[:60]!r} is no target", hint=f"one of: {known}")
    if (found in (TargetKind.OWNER, TargetKind.ONCALL)) != (not name):
        raise InvalidField(f"{word[:60]!r} {'names nobody' if not name else 'takes no name'}", hint=f"{found}:NAME")
    if found is TargetKind.ROLE:
        name = _role(name)
    if found is TargetKind.WEBHOOK and not hook_of(name):
        if len(name) > LONGEST_URL:
            raise InvalidField(f"a URL has at most {LONGEST_URL} characters", hint="webhook:https://hooks.example/x")
        parts = urlsplit(name)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidField(f"{name[:60]!r} is no URL", hint="webhook:https://hooks.example/siems")
    return StepTarget(found, name if found is TargetKind.WEBHOOK else name[:500])


def hook_of(name: str) -> str:
    """The name of an address that is kept already, as a policy shows it: `hook-1f2e3d4c https://host/...`."""
    found = _HOOK.fullmatch(name)
    return found[1] if found else ""


def hook_hint(name: str) -> str:
    """What people see of an address that a policy calls."""
    found = _HOOK.fullmatch(name)
    return (found[2] or found[1]).strip() if found else name


def _role(word: str) -> str:
    try:
        role = Role.parse(word)
    except (InvalidField, ValueError):
        role = None
    if role not in _PAGED_ROLES:
        raise InvalidField(f"{word[:40]!r} is no role that is paged", hint="role:technician, role:manager, role:admin")
    return role.value


def _condition(value: Any) -> Condition | None:
    if value is None:
        return None
    data = _fields("when", value, _WHEN)
    timed = [name for name in ("days", "from", "until", "zone") if name in data]
    window = None
    if timed:
        if ("from" in data) != ("until" in data):
            raise InvalidField("a time window has a begin and an end", hint='from: "22:00", until: "06:00"')
        window = Window(
            _days(data.get("days")), _clock(data.get("from", "00:00")), _clock(data.get("until", "00:00")),
            _zone_name(data.get("zone", "UTC")),
        )  # fmt: skip
    limit = data.get("priority")
    if isinstance(limit, str):
        limit = limit.removeprefix(">=").strip()
        limit = int(limit) if limit.isascii() and limit.isdigit() else limit
    return Condition(
        _severities(data["severity"]) if "severity" in data else (),
        None if limit is None else _number(limit, 1, 1_000),
        window,
    )


def _severities(value: Any) -> tuple[Severity, ...]:
    """`HIGH` (this one), `>=HIGH` (from there on), `HIGH,CRITICAL` or a list."""
    if isinstance(value, str) and value.strip().startswith(">="):
        lowest = _severity(value.strip().removeprefix(">="))
        return tuple(s for s in Severity if s >= lowest)
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, Sequence) or not words:
        raise InvalidField(f"{value!r} names no severity", hint='severity: ">=HIGH"')
    return tuple(sorted({_severity(word) for word in words}))


def _days(value: Any) -> tuple[int, ...]:
    if value is None:
        return EVERY_DAY
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, Sequence) or not words:
        raise InvalidField(f"{value!r} names no days", hint="days: mon-fri")
    found: set[int] = set()
    for word in words:
        first, _, last = str(word).strip().lower().partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise InvalidField(f"{str(word)[:40]!r} is no day of the week", hint="days: mon-fri, or sat,sun")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found |= {day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1)}
    return tuple(sorted(found))


def _clock(value: Any) -> time:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1_440:
        return time(value // 60, value % 60)  # YAML reads 22:00 as a number of minutes
    try:
        found = time.fromisoformat(str(value)) if ":" in str(value) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None or found.second or found.microsecond:
        raise InvalidField(f"{value!r} is no time of day", hint='from: "09:00"')
    return found


def _zone_name(value: Any) -> str:
    try:
        return ZoneInfo(str(value)).key
    except (KeyError, ValueError, OSError) as why:
        raise InvalidField(f"{str(value)[:60]!r} is no time zone", hint="zone: Europe/Oslo") from why


def _strategies(value: Any) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping):
        raise InvalidField("name each with its parameters", hint="strategies: {unacknowledged: {}, sla_breach: {}}")
    found: dict[str, Mapping[str, Any]] = {}
    for word, params in value.items():
        strategy = STRATEGIES.get(str(word))
        if params is not None and not isinstance(params, Mapping):
            raise InvalidField(f"{word}: {params!r} are no parameters", hint=f"{word}: {{}}")
        given = params or {}
        found[strategy.name] = _named(str(word), lambda s=strategy, g=given: s.takes(g))  # type: ignore[misc]
    return found


# --- writing -----------------------------------------------------------------------------------------------------


def document_of(policy: Policy) -> dict[str, Any]:
    """The policy as a document: what `policy_from_document` reads."""
    return {
        "repeat": policy.repeat,
        "reassign": policy.reassign,
        "opening_hours": policy.opening_hours,
        "ack_timeout": {s.name: span_text(span) for s, span in sorted(policy.ack_timeouts.items(), reverse=True)},
        "strategies": {name: dict(params) for name, params in policy.strategies.items()},
        "steps": [_step_document(step) for step in policy.steps],
    }


def _step_document(step: Step) -> dict[str, Any]:
    found: dict[str, Any] = {"targets": [str(target) for target in step.targets]}
    if step.waits:
        found["wait"] = {s.name: span_text(span) for s, span in sorted(step.waits.items(), reverse=True)}
    if not step.important:
        found["important"] = False
    if step.condition is not None:
        found["when"] = _condition_document(step.condition)
    return found


def _condition_document(condition: Condition) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if condition.severities:
        found["severity"] = severities_text(condition.severities)
    if condition.priority is not None:
        found["priority"] = condition.priority
    if (w := condition.window) is not None:
        found |= {"days": days_text(w.days), "from": f"{w.starts:%H:%M}", "until": f"{w.ends:%H:%M}", "zone": w.zone}
    return found


def span_text(span: timedelta) -> str:
    """`90s`, `15m`, `1h30m`, `2d`: read back by `parse_span`."""
    left, said = int(span.total_seconds()), ""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        number, left = divmod(left, size)
        said += f"{number}{unit}" if number else ""
    return said or "0s"
