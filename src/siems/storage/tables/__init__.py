"""Every table. Each row carries its `company_id` (or `msp`), so that data can be split by tenant.

Times are whole microseconds since 1970 in UTC: they sort and compare alike on every database.
"""

from __future__ import annotations

from siems.storage.tables.alerts import alert, delivery, raw_body, repeat_log
from siems.storage.tables.assets import asset, asset_dependency
from siems.storage.tables.columns import Id, Instant, metadata, raw_columns
from siems.storage.tables.incidents import deadline, incident, silence, snapshot, timeline, undo
from siems.storage.tables.integrations import heartbeat, integration, old_key, pull, rejection, sighting, tenant
from siems.storage.tables.notices import notification
from siems.storage.tables.people import company, token, user, user_company
from siems.storage.tables.record import audit_detail, audit_entry, audit_head, counter, event, idempotency
from siems.storage.tables.tickets import template, ticket, ticket_account, ticket_comment, ticket_job

__all__ = [
    "Id",
    "Instant",
    "alert",
    "asset",
    "asset_dependency",
    "audit_detail",
    "audit_entry",
    "audit_head",
    "company",
    "counter",
    "deadline",
    "delivery",
    "event",
    "heartbeat",
    "idempotency",
    "incident",
    "integration",
    "metadata",
    "notification",
    "old_key",
    "pull",
    "raw_body",
    "raw_columns",
    "rejection",
    "repeat_log",
    "sighting",
    "silence",
    "snapshot",
    "template",
    "tenant",
    "ticket",
    "ticket_account",
    "ticket_comment",
    "ticket_job",
    "timeline",
    "token",
    "undo",
    "user",
    "user_company",
]
