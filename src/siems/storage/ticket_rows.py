"""Tickets, their accounts and rules, as rows and back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from siems.clock import from_micros, to_micros
from siems.domain.ticket import Comments, Stage, Ticket, TicketAccount, TicketRules
from siems.vocabulary import Category, Severity, State


def rules_json(rules: TicketRules) -> str:
    """The rules of an account as they are kept."""
    return json.dumps(
        {
            "create": rules.create,
            "min_severity": rules.min_severity.name,
            "categories": sorted(category.value for category in rules.categories),
            "at_state": rules.at_state.value,
            "states": {stage.value: name for stage, name in rules.states.items()},
            "priorities": dict(rules.priorities),
            "fields": dict(rules.fields),
            "ticket_type": rules.ticket_type,
            "comments": rules.comments.value,
            "reopen_within": rules.reopen_within.total_seconds(),
            "poll_every": rules.poll_every.total_seconds(),
        }
    )


def rules_from(text: str) -> TicketRules:
    data = json.loads(text)
    return TicketRules(
        create=data["create"],
        min_severity=Severity[data["min_severity"]],
        categories=frozenset(Category(word) for word in data["categories"]),
        at_state=State(data["at_state"]),
        states={Stage(stage): name for stage, name in data["states"].items()},
        priorities=data["priorities"],
        fields=data["fields"],
        ticket_type=data["ticket_type"],
        comments=Comments(data["comments"]),
        reopen_within=timedelta(seconds=data["reopen_within"]),
        poll_every=timedelta(seconds=data["poll_every"]),
    )


def account_from(row: Any) -> TicketAccount:
    """From a row with times as microseconds."""
    return TicketAccount(
        id=row.id, company_id=row.company_id, kind=row.kind, url=row.url, project=row.project, username=row.username,
        secret=row.secret, rules=rules_from(row.rules), paused=row.paused, hook_hash=row.hook_hash,
        created_by=row.created_by, created_at=from_micros(row.created_at), since=from_micros(row.since),
    )  # fmt: skip


def ticket_row(ticket: Ticket) -> tuple[Any, ...]:
    """The values of the `ticket` table, in its order."""
    return (
        ticket.id, ticket.company_id, ticket.account_id, ticket.incident_id, ticket.external_id, ticket.key,
        ticket.url, ticket.state, ticket.known.value, ticket.told.value, to_micros(ticket.local_at),
        ticket.local_human, to_micros(ticket.created_at), ticket.relates_to,
    )  # fmt: skip


def ticket_from(row: Any) -> Ticket:
    """From a row with times as microseconds."""
    return Ticket(
        id=row.id, company_id=row.company_id, account_id=row.account_id, incident_id=row.incident_id,
        external_id=row.external_id, key=row.key, url=row.url, state=row.state, known=Stage(row.known),
        told=Stage(row.told), local_at=from_micros(row.local_at), local_human=row.local_human,
        created_at=from_micros(row.created_at), relates_to=row.relates_to,
    )  # fmt: skip
