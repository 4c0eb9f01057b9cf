"""Schedules, who stands in for whom, and who was on call when."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from siems.storage.tables.columns import Id, Instant, metadata, of_company

schedule = Table(
    "schedule",
    metadata,
    Column("id", String(64), primary_key=True),
    of_company(),
    Column("name", String(255), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("country", String(16), nullable=False),
    Column("layers", Text, nullable=False),  # JSON, from the bottom to the top
    Column("created_at", Instant, nullable=False),
    Column("version", Integer, nullable=False),
)
"""Of the MSP, for whichever client uses them, or of one client."""


oncall_override = Table(
    "oncall_override",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("schedule_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("swap_id", Id, nullable=True),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_oncall_override_schedule_id_ends_at", "schedule_id", "ends_at"),
)


swap = Table(
    "swap",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("schedule_id", String(64), nullable=False),
    Column("asker", String(64), nullable=False),
    Column("other", String(64), nullable=False),
    Column("mine", Text, nullable=False),  # JSON: [from, until] of the asker's stretches, in microseconds
    Column("theirs", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", String(16), nullable=False),  # asked, accepted, declined, withdrawn
    Column("created_at", Instant, nullable=False),
    Column("answered_at", Instant, nullable=True),
)


shift = Table(
    "shift",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("schedule_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=True),
    Column("next_user", String(64), nullable=True),
    Column("given_at", Instant, nullable=True),
    Column("kept", Text, nullable=False),  # JSON: numbers of incidents that stay with whoever had the shift
    Column("accepted_at", Instant, nullable=True),
    Column("told_at", Instant, nullable=True),  # when managers heard that nobody has accepted
    Index("ix_shift_schedule_id_starts_at", "schedule_id", "starts_at"),
    Index("ix_shift_user_id_starts_at", "user_id", "starts_at"),
)
"""Who was on call, as it came to pass, whatever the schedule says today; one row of each schedule may have no end."""


handoff_note = Table(
    "handoff_note",
    metadata,
    Column("incident_id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("text", Text, nullable=False),
    Column("author", String(64), nullable=False),
    Column("at", Instant, nullable=False),
)
"""The next action of an open incident, for whoever has the next shift."""


calendar_feed = Table(
    "calendar_feed",
    metadata,
    Column("id", String(32), primary_key=True),
    of_company(),
    Column("hash", String(64), nullable=False, unique=True),
    Column("user_id", String(64), nullable=False),
    Column("schedule_id", String(64), nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant, nullable=True),
)
"""Addresses that calendars subscribe to; `user_id` or `schedule_id` may be empty: all people, all schedules."""
