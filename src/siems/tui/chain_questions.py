"""What is asked about an escalation policy: of the whole, and of each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TABS = ("Policy", "Steps", "Try & save")
STEPS, SAVE = 1, 2
LABEL = 16
MOST_STEPS = 20
YES_NO, NO_YES = ("yes", "no"), ("no", "yes")


@dataclass(frozen=True, slots=True)
class Ask:
    """One field: of the policy, or of the step under the cursor."""

    name: str
    label: str
    hint: str = ""
    choices: Sequence[str] = ()
    new_only: bool = False
    means: str = ""


POLICY = (
    Ask("name", "Name *", "nights"),
    Ask("company", "Of", choices=("msp",), new_only=True,
        means="of the MSP: every client may use it; of a client: it alone, and its managers may change it"),
    Ask("repeat", "Begins again", choices=("0", "1", "2", "3", "4", "5"),
        means="how often the chain begins again after its last step"),
    Ask("reassign", "Who is paged owns", choices=YES_NO, means="whoever a step pages takes the incident over"),
    Ask("opening_hours", "Waits for opening", choices=NO_YES,
        means="below CRITICAL the waits end in the client's opening hours only"),
    Ask("unacknowledged", "Moves without ack", choices=YES_NO, means="one step on when nobody acked within the wait"),
    Ask("sla_breach", "Moves on a breach", choices=YES_NO,
        means="one step on when the response or the resolution target was missed"),
    Ask("severity_age", "Moves with age", "no; or HIGH 4h",
        means="one step on, once, when at least that severe and unresolved for so long"),
    Ask("priority", "Moves by score", "no; or 120", means="one step on, once, from this priority score on"),
    Ask("ack_timeout", "Still on it?", "CRITICAL 30m, HIGH 2h; off",
        means="after so long without an act the owner is asked; without an answer the chain goes on"),
)  # fmt: skip
STEP = (
    Ask("targets", "Pages *", "owner, oncall, role:manager",
        means="owner, oncall, user:jon, role:manager, schedule:night, webhook:https://...; several with commas"),
    Ask("wait", "Waits", "no time drives it; or 15m; or CRITICAL 5m, HIGH 15m",
        means="for an ack, before the next step; a severity without a wait is not driven by time"),
    Ask("wakes", "Wakes them", choices=YES_NO, means="no: told in the inbox, without waking anybody"),
    Ask("severity", "Only severity", "any; or >=HIGH",
        means="the step is taken only then: HIGH, >=HIGH, or HIGH,CRITICAL"),
    Ask("priority", "Only from score", "any; or 120", means="the step is taken only from this priority score on"),
    Ask("days", "Only on days", "every day; or mon-fri",
        means="the step is taken on these days only: mon-fri, or sat,sun"),
    Ask("hours", "Only at hours", "all day; or 22:00-06:00",
        means="one that ends before it begins goes on past midnight"),
    Ask("zone", "Clock of", "UTC; or Europe/Oslo", means="whose wall clock days and hours are of"),
)  # fmt: skip


def label(one: Ask) -> str:
    """What stands before its field."""
    return f" {one.label:<{LABEL + 2}}"
