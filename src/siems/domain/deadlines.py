"""What happens later to an incident: derived from how it stands, never kept beside it.

Whoever changes an incident changes its deadlines by that alone; an undo re-arms them by that alone.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from siems.domain import sla, strategies
from siems.domain.calendars import Calendar
from siems.domain.correlation import Rules
from siems.domain.escalation import Policy
from siems.domain.incident import Incident
from siems.domain.priority import DEFAULT_WEIGHTS, Weights
from siems.vocabulary import State


class DueKind(StrEnum):
    """The kinds of deadline; the same words stand in the database."""

    RESPONSE = "sla_response"
    RESOLUTION = "sla_resolution"
    ESCALATION = "escalation"
    STRATEGY = "strategy"
    ACK_TIMEOUT = "ack_timeout"
    HOLD_END = "hold_end"
    AUTO_RESOLVE = "auto_resolve"
    FLAP_END = "flap_end"
    AUTO_CLOSE = "auto_close"
    HEARTBEAT = "heartbeat"
    SILENCE_NOTICE = "silence_notice"
    SILENCE_END = "silence_end"
    SILENCE_RELEASE = "silence_release"
    HANDOFF = "handoff"
    HANDOFF_ACCEPT = "handoff_accept"
    PAGE = "page"
    TICKET_POLL = "ticket_poll"
    STATUS_UPDATE = "status_update"
    RUN_EXPIRY = "run_expiry"
    RUN_TIMEOUT = "run_timeout"
    RUN_LEASE = "run_lease"
    SELF_HEAL = "self_heal"
    HOUSEKEEPING = "housekeeping"
    ALIVE = "alive"
    SELF_AUDIT = "self_audit"
    REARM = "rearm"
    GAP_FOLLOW_UP = "gap_follow_up"


def deadlines_of(
    incident: Incident, rules: Rules, target: sla.Target, calendar: Calendar | None = None,
    policy: Policy | None = None, weights: Weights = DEFAULT_WEIGHTS,
) -> dict[DueKind, datetime]:  # fmt: skip
    """Each kind that is armed, and when it is due; without a policy, but for what its strategies ask."""
    if incident.state is State.CLOSED or incident.merged_into is not None:
        return {}
    if incident.state is State.RESOLVED:
        return {} if incident.resolved_at is None else {DueKind.AUTO_CLOSE: incident.resolved_at + rules.auto_close}
    due = _sla(incident.clocks, target, calendar)
    if incident.escalates_at is not None and incident.recovered_at is None:  # pages are held while all is well
        due[DueKind.ESCALATION] = incident.escalates_at
    if incident.ack_due_at is not None and incident.recovered_at is None and not incident.on_hold:
        due[DueKind.ACK_TIMEOUT] = incident.ack_due_at
    if policy is not None and (pending := strategies.pending(incident, policy, weights)) is not None:
        due[DueKind.STRATEGY] = pending.verdict.due_at
    if incident.hold_until is not None:
        due[DueKind.HOLD_END] = incident.hold_until
    if incident.flapping and incident.transitions:
        due[DueKind.FLAP_END] = incident.transitions[-1] + rules.window
    elif incident.recovered_at is not None and rules.auto_resolve:
        due[DueKind.AUTO_RESOLVE] = incident.recovered_at + rules.quiet_delay
    return due


def _sla(clocks: sla.Clocks, target: sla.Target, calendar: Calendar | None) -> dict[DueKind, datetime]:
    """A clock first warns, then breaches, then is silent."""
    due: dict[DueKind, datetime] = {}
    response_warns, resolution_warns = sla.warnings_due(clocks, target, calendar)
    if clocks.response_open and not clocks.response_broken:
        due[DueKind.RESPONSE] = clocks.response_due if clocks.response_warned_at else response_warns
    if clocks.resolution_open and clocks.resolution_breached_at is None and clocks.paused_since is None:
        due[DueKind.RESOLUTION] = clocks.resolution_due if clocks.resolution_warned_at else resolution_warns
    return due
