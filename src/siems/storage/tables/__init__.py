"""Every table. Each row carries its `company_id` (or `msp`), so that data can be split by tenant.

Times are whole microseconds since 1970 in UTC: they sort and compare alike on every database.
"""

from __future__ import annotations

from siems.storage.tables.advice import (
    advice,
    advice_cache,
    advice_feedback,
    advice_job,
    advice_use,
    sentence_vector,
)
from siems.storage.tables.alerts import alert, delivery, raw_body, repeat_log
from siems.storage.tables.assets import asset, asset_dependency
from siems.storage.tables.clouds import cloud_account
from siems.storage.tables.columns import Id, Instant, metadata, raw_columns
from siems.storage.tables.groups import parent, parent_child, parent_line, watcher
from siems.storage.tables.incidents import deadline, incident, silence, sla_told, snapshot, timeline, undo
from siems.storage.tables.integrations import heartbeat, integration, old_key, pull, rejection, sighting, tenant
from siems.storage.tables.notices import notification
from siems.storage.tables.oncall import calendar_feed, handoff_note, oncall_override, schedule, shift, swap
from siems.storage.tables.paging import page
from siems.storage.tables.people import company, token, user, user_company
from siems.storage.tables.policies import policy, policy_hook
from siems.storage.tables.reach import contact, message, notify_preference, notify_rule, pace, subscription
from siems.storage.tables.record import audit_detail, audit_entry, audit_head, counter, event, idempotency
from siems.storage.tables.runbooks import runbook, runbook_approval
from siems.storage.tables.runs import (
    host_login,
    run,
    run_host,
    run_output,
    run_rule,
    run_step,
    self_heal,
    standing_approval,
)
from siems.storage.tables.search import search_doc, search_mark
from siems.storage.tables.tickets import template, ticket, ticket_account, ticket_comment, ticket_job

__all__ = [
    "Id",
    "Instant",
    "advice",
    "advice_cache",
    "advice_feedback",
    "advice_job",
    "advice_use",
    "alert",
    "asset",
    "asset_dependency",
    "audit_detail",
    "audit_entry",
    "audit_head",
    "calendar_feed",
    "cloud_account",
    "company",
    "contact",
    "counter",
    "deadline",
    "delivery",
    "event",
    "handoff_note",
    "heartbeat",
    "host_login",
    "idempotency",
    "incident",
    "integration",
    "message",
    "metadata",
    "notification",
    "notify_preference",
    "notify_rule",
    "old_key",
    "oncall_override",
    "pace",
    "page",
    "parent",
    "parent_child",
    "parent_line",
    "policy",
    "policy_hook",
    "pull",
    "raw_body",
    "raw_columns",
    "rejection",
    "repeat_log",
    "run",
    "run_host",
    "run_output",
    "run_rule",
    "run_step",
    "runbook",
    "runbook_approval",
    "schedule",
    "search_doc",
    "search_mark",
    "self_heal",
    "sentence_vector",
    "shift",
    "sighting",
    "silence",
    "sla_told",
    "snapshot",
    "standing_approval",
    "subscription",
    "swap",
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
    "watcher",
]
