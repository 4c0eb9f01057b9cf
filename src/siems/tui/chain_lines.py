"""Escalation policies in lines: their steps in words, and who would be paged when."""

from __future__ import annotations

from siems import present
from siems.tui.chain_draft import ChainDraft, difference, step_line
from siems.tui.looks import Line, wrap
from siems.tui.panes import Scene
from siems.wire import PolicyTrial, PolicyView


def steps(view: PolicyView) -> list[str]:
    """`2  role:manager   waits CRITICAL 5m, HIGH 15m   inbox only`: the steps in words."""
    return [f"{level}  {step_line(step)}" for level, step in enumerate(view.policy.get("steps", ()), 1)]


def trial_lines(trial: PolicyTrial, scene: Scene, width: int) -> list[Line]:
    """What would happen, moment by moment."""
    whose, opened = trial.company_id.removeprefix("comp-"), scene.time(trial.opened_at)
    lines: list[Line] = [[(f"{trial.severity} of {whose}, opened {opened}, if nobody does anything:", "bold")]]
    for one in trial.steps:
        who = ", ".join((*one.people, *one.webhooks))
        quiet = f"  inbox: {', '.join(one.inbox)}" if one.inbox else ""
        said = f"{one.text}: {who}" if who and who not in one.text else one.text
        known = one.level is None or f"level {one.level}" in said
        text = f"{one.kind:<6} {'' if known else f'level {one.level} '}{said.removeprefix(': ')}{quiet}"
        parts = wrap(text, width - 12)
        role = "stale" if one.kind in ("skip", "end") else ""
        lines += [
            [(f"{scene.time(one.at) if at == 0 else '':<12}", "dim"), (part, role)] for at, part in enumerate(parts)
        ]
    return lines


def what(draft: ChainDraft, width: int) -> list[Line]:
    """What would differ from how it stands, or how much there is of a new one."""
    if not draft.policy_id:
        whose = "every client may use it" if draft.company == "msp" else f"of {draft.company.removeprefix('comp-')}"
        return [[(f" {present.plural(len(draft.steps), 'step')}, {whose}", "bold")]]
    changes = draft.changes()
    lines: list[Line] = [[(f" {part}", "bold")] for text in changes for part in wrap(text, width - 3)]
    return lines or [[(" nothing was changed", "dim")]]


def conflict(draft: ChainDraft, theirs: PolicyView, scene: Scene, width: int) -> list[Line]:
    """What somebody else has changed meanwhile, and the two ways out."""
    when = present.ago(theirs.changed_at, scene.now)
    text = f"version {theirs.version} was saved {when}; this began with version {draft.version}. It changed:"
    renamed = [f"name: {draft.before_name} -> {theirs.name}"] if theirs.name != draft.before_name else []
    said = [*renamed, *difference(draft.before, theirs.policy)]
    lines: list[Line] = [[(f" {part}", "error")] for part in wrap(text, width - 3)]
    lines += [[(f"   {part}", "bold")] for one in said for part in wrap(one, width - 5)]
    return [*lines, [(" o", "key"), (" keep this and save over it   ", ""), ("t", "key"), (" take theirs", "")]]
