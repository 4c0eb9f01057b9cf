"""What the rules of a form would have made of a client's last day, in lines."""

from __future__ import annotations

from siems import present
from siems.tui.drafts import Draft
from siems.tui.looks import Line, wrap
from siems.tui.questions import MEANS
from siems.wire import CorrelationPreview

DAY_SECONDS = 86_400
SHOWN = 2


def beside_rules(
    draft: Draft, found: tuple[str, CorrelationPreview] | None, width: int, *, asking: bool
) -> list[Line]:  # fmt: skip
    """Under the rules: what the chosen strategy means, and what they would have made of a day."""
    chosen, own = draft.get("strategy") or "auto", bool(draft.company_id)
    means = f"{chosen}: {MEANS.get(chosen, 'a way of its own')}"
    lines: list[Line] = [[(f" {part}", "")] for part in wrap(means, width - 2)]
    if found is None:
        return lines + invitation(own=own, asking=asking)
    return lines + preview_lines(*found, width, own=own)


def invitation(*, own: bool, asking: bool) -> list[Line]:
    """How to try it."""
    if asking:
        return [[], [(" replaying...", "dim")]]
    whose = "this client's last 24 h" if own else "the last 24 h of a client"
    return [[], [(" p", "key"), (f" replays {whose} against these rules; changes nothing", "dim")]]


def preview_lines(name: str, found: CorrelationPreview, width: int, *, own: bool) -> list[Line]:
    """How many incidents it would have been, and what would differ."""
    now, then = found.before, found.after
    title = present.cell(name, 40).rstrip()
    if not found.alerts:
        lines: list[Line] = [[], [(f" {title}: no alert in the last 24 h", "")]]
    else:
        alerts = present.plural(found.alerts, "alert")
        became = present.plural(then.incidents, "incident")
        lines = [
            [],
            [(f" {title}: {alerts} -> ", ""), (became, "bold"), (f" (now {now.incidents})", "")],
            [(f" {then.noise_reduction:.0f} % less noise (now {now.noise_reduction:.0f} %)", "dim")],
        ]
        for word, groups, total in (("joined", found.joins, found.joined), ("split", found.splits, found.split)):
            for one in groups[:SHOWN]:
                parts = f"{one.parts} incidents into one" if word == "joined" else f"one into {one.parts} incidents"
                text = f"{word}: {parts}, {present.plural(one.count, 'alert')} from {one.first} on: {one.evidence}"
                lines += [[(" " + part, "dim")] for part in wrap(present.safe(text), width - 2)[:2]]
            if total > SHOWN:
                lines.append([(f" {word}: {total - SHOWN} more", "dim")])
        if not found.joined and not found.split:
            lines.append([(" the same alerts together as now", "dim")])
    lines.append([(" p", "key"), (" again" if own else " another client", "dim")])
    return lines
