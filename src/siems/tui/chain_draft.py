"""An escalation policy that is being written: its fields as texts, the document they make, and what is wrong."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import msgspec

from siems import places
from siems.errors import SiemsError
from siems.wire import PolicyView

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
KEPT = 20
"""Drafts that are kept at most, the latest ones."""


@dataclass
class StepDraft:
    """One step as it is typed."""

    targets: str = ""
    wait: str = ""
    wakes: str = "yes"
    severity: str = ""
    priority: str = ""
    days: str = ""
    hours: str = ""
    zone: str = ""

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = {"targets": [word for word in map(str.strip, self.targets.split(",")) if word]}
        if self.wait.strip():
            found["wait"] = spans(self.wait)
        if self.wakes == "no":
            found["important"] = False
        when: dict[str, Any] = {}
        for name, text in (("severity", self.severity), ("days", self.days), ("zone", self.zone)):
            if text.strip():
                when[name] = text.strip()
        if text := self.priority.strip():
            when["priority"] = int(text) if text.isascii() and text.isdigit() else text
        if self.hours.strip():
            begin, _, end = self.hours.partition("-")
            when |= {"from": begin.strip(), "until": end.strip()}
        return found | ({"when": when} if when else {})

    def fault_of(self, name: str, number: int) -> str:
        """What is wrong with one field, whatever is in the others."""
        if not getattr(self, name).strip():
            return ""
        alone = StepDraft(targets="owner", **{name: getattr(self, name)})
        return ChainDraft(name="x", steps=[alone]).fault().replace("step 1,", f"step {number},", 1)

    def line(self) -> str:
        """`role:manager   after CRITICAL 5m, HIGH 15m   quietly   only >=HIGH, mon-fri 22:00-06:00`."""
        only = [self.severity, f"score {self.priority}" if self.priority.strip() else "", self.days, self.hours]
        when = ", ".join(text.strip() for text in only if text.strip())
        parts = [
            self.targets.strip() or "nobody yet",
            f"waits {self.wait.strip()}" if self.wait.strip() else "waits for nobody",
            "inbox only" if self.wakes == "no" else "",
            f"only {when}" if when else "",
        ]
        return "   ".join(part for part in parts if part)


def spans(text: str) -> Any:
    """`15m`, or a mapping of `CRITICAL 5m, HIGH 15m`."""
    parts = [part.replace("=", " ").split() for part in text.split(",") if part.strip()]
    if len(parts) == 1 and len(parts[0]) == 1:
        return parts[0][0]
    return {part[0]: " ".join(part[1:]) for part in parts}


def spans_text(value: Any) -> str:
    """As it is typed: one length for all, else a list."""
    if not isinstance(value, Mapping):
        return str(value or "")
    if len(value) == len(SEVERITIES) and len(set(map(str, value.values()))) == 1:
        return str(next(iter(value.values())))
    return ", ".join(f"{word} {span}" for word, span in value.items())


@dataclass
class ChainDraft:
    """The policy so far. `policy_id` and `version`: which one it would change, as it stood."""

    name: str = ""
    company: str = "msp"
    repeat: str = "2"
    reassign: str = "yes"
    opening_hours: str = "no"
    ack_timeout: str = "CRITICAL 30m, HIGH 2h"
    unacknowledged: str = "yes"
    sla_breach: str = "yes"
    severity_age: str = ""
    priority: str = ""
    steps: list[StepDraft] = field(default_factory=lambda: [StepDraft("owner", "CRITICAL 5m, HIGH 15m")])
    policy_id: str = ""
    version: int = 0
    before: dict[str, Any] = field(default_factory=dict)
    """The document that it would change."""
    before_name: str = ""

    def document(self) -> dict[str, Any]:
        """As the daemon takes it."""
        strategies: dict[str, Any] = {
            name: {} for name in ("unacknowledged", "sla_breach") if getattr(self, name) == "yes"
        }
        if self.severity_age.strip():
            severity, _, after = self.severity_age.strip().partition(" ")
            strategies["severity_age"] = {"severity": severity, "after": after.strip()}
        if text := self.priority.strip():
            strategies["priority"] = {"score": int(text) if text.isascii() and text.isdigit() else text}
        asked = self.ack_timeout.strip()
        return {
            "repeat": int(self.repeat) if self.repeat.isdigit() else self.repeat,
            "reassign": self.reassign == "yes",
            "opening_hours": self.opening_hours == "yes",
            "ack_timeout": {} if asked in ("", "off") else spans(asked),
            "strategies": strategies,
            "steps": [step.document() for step in self.steps],
        }

    def fault(self) -> str:
        """What is wrong, by step and field, as the daemon would say it; "" when nothing is."""
        from siems.domain.policies import policy_from_document

        if not self.name.strip():
            return "Name: is needed"
        try:
            policy_from_document(self.name.strip(), self.document())
        except (SiemsError, ValueError) as why:
            hint = getattr(why, "hint", "")
            return f"{getattr(why, 'message', why)}{f'   {hint.splitlines()[-1].strip()}' if hint else ''}"
        return ""

    def fault_of(self, name: str) -> str:
        """What is wrong with one field, whatever is in the others."""
        return ChainDraft(name="x", **{name: getattr(self, name)}).fault()

    def changes(self) -> list[str]:
        """What would differ from how it stood, in words."""
        renamed = self.name.strip() != self.before_name
        said = [f"name: {self.before_name} -> {self.name.strip()}"] if self.policy_id and renamed else []
        return said + difference(self.before, self.document())

    def command(self) -> str:
        """The shell command that does the same, with the document in a file."""
        name = shlex.quote(self.name.strip() or "NAME")
        if not self.policy_id:
            of = "" if self.company == "msp" else f"--company {self.company.removeprefix('comp-')} "
            return f"siems escalation policy create {name} {of}--from-file policy.yaml"
        renamed = f"--name {name} " if self.name.strip() != self.before_name else ""
        return f"siems escalation policy edit {self.policy_id} {renamed}--from-file policy.yaml"

    def script(self) -> str:
        """The same with the document in it, to be pasted."""
        line = self.command().replace("--from-file policy.yaml", "--from-file - <<'POLICY'")
        return f"{line}\n{json.dumps(self.document(), indent=1)}\nPOLICY"

    def rebase(self, view: PolicyView) -> None:
        """Somebody else has changed it: what is written here would now change that."""
        self.version, self.before, self.before_name = view.version, dict(view.policy), view.name


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """How two documents differ: `repeat 2 -> 3`, `step 2: ...`, in the order of the document."""
    said = []
    for name in ("repeat", "reassign", "opening_hours", "ack_timeout", "strategies"):
        old, new = (_plain(name, one.get(name)) for one in (before, after))
        if old != new:
            said.append(f"{name.replace('_', ' ')}: {old} -> {new}")
    old_steps, new_steps = ([step_line(one) for one in doc.get("steps", ())] for doc in (before, after))
    for number in range(max(len(old_steps), len(new_steps))):
        was = old_steps[number] if number < len(old_steps) else ""
        now = new_steps[number] if number < len(new_steps) else ""
        if was != now:
            said.append(f"step {number + 1}: {was or 'new'} -> {now or 'gone'}")
    return said


def _plain(name: str, value: Any) -> str:
    if name == "ack_timeout":
        return spans_text(value) or "off"
    if name == "strategies":
        given = value or {}
        words = (" ".join([key, *(str(one) for one in (given[key] or {}).values())]) for key in sorted(given))
        return ", ".join(words) or "none"
    return {True: "yes", False: "no", None: "-"}[value] if value is None or isinstance(value, bool) else str(value)


def step_line(step: Mapping[str, Any]) -> str:
    return step_of(step).line()


def step_of(step: Mapping[str, Any]) -> StepDraft:
    """A step of a document as it is typed."""
    targets, when = step.get("targets", ()), step.get("when") or {}
    severity = when.get("severity", "")
    hours = f"{when['from']}-{when['until']}" if "from" in when and "until" in when else ""
    return StepDraft(
        targets=targets if isinstance(targets, str) else ", ".join(map(str, targets)),
        wait=spans_text(step.get("wait")),
        wakes="yes" if step.get("important", True) else "no",
        severity=", ".join(severity) if isinstance(severity, list) else str(severity),
        priority=str(when.get("priority", "")),
        days=str(when.get("days", "")),
        hours="" if hours == "00:00-00:00" else hours,
        zone=str(when.get("zone", "")),
    )


def of(view: PolicyView) -> ChainDraft:
    """A policy as it stands, to be changed."""
    body = view.policy
    told = body.get("strategies") or {}
    age, score = told.get("severity_age") or {}, told.get("priority") or {}
    return ChainDraft(
        name=view.name,
        company=view.company_id,
        repeat=str(body.get("repeat", 2)),
        reassign="yes" if body.get("reassign", True) else "no",
        opening_hours="yes" if body.get("opening_hours") else "no",
        ack_timeout=spans_text(body.get("ack_timeout")) or "off",
        unacknowledged="yes" if "unacknowledged" in told else "no",
        sla_breach="yes" if "sla_breach" in told else "no",
        severity_age=f"{age['severity']} {age['after']}" if age else "",
        priority=str(score.get("score", "")),
        steps=[step_of(step) for step in body.get("steps", ())] or [StepDraft()],
        policy_id=view.id,
        version=view.version,
        before=dict(body),
        before_name=view.name,
    )


# --- a draft outlives its session --------------------------------------------------------------------------------


def keep(draft: ChainDraft) -> None:
    """Write it down under its policy; nothing secret is in it but what was typed into targets, so the file is private.

    A disk that refuses is no reason to stop typing.
    """
    kept = {name: one for name, one in _all().items() if name != draft.policy_id}
    kept[draft.policy_id] = asdict(draft)
    _write(dict(list(kept.items())[-KEPT:]))


def kept(policy_id: str = "") -> ChainDraft | None:
    """What was left of a policy, or of a new one."""
    found = _all().get(policy_id)
    known = {one.name for one in fields(ChainDraft)}
    if not isinstance(found, dict):
        return None
    try:
        return msgspec.convert({name: value for name, value in found.items() if name in known}, ChainDraft)
    except msgspec.ValidationError:
        return None


def forget(policy_id: str = "") -> None:
    left = _all()
    if left.pop(policy_id, None) is not None:
        _write(left)


def _all() -> dict[str, Any]:
    try:
        found = json.loads((places.state_dir() / "policies.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(kept: dict[str, Any]) -> None:
    try:
        places.write_private(places.state_dir() / "policies.json", json.dumps(kept))
    except OSError:
        return
