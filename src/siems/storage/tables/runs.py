"""Runs of runbooks: what was asked for, who approved it, how it went on each host; and how hosts are reached."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text

from siems.storage.tables.columns import Id, Instant, metadata, of_company

host_login = Table(
    "host_login",
    metadata,
    of_company(),
    Column("executor", String(16), nullable=False),
    Column("username", String(255), nullable=False),
    Column("port", Integer, nullable=False),  # 0: the usual one
    Column("secret", Text, nullable=False),  # encrypted JSON: password, private_key, passphrase
    Column("known_hosts", Text, nullable=False),
    Column("options", Text, nullable=False),  # JSON of words
    Column("updated_by", String(64), nullable=False),
    Column("updated_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "executor"),
)
"""How a company's hosts are reached by an executor that logs in; clouds have accounts of their own."""


run = Table(
    "run",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("runbook", String(80), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("risk", String(8), nullable=False),
    Column("body", Text, nullable=False),  # JSON: the runbook as it was approved, the plan
    Column("given", Text, nullable=False),  # encrypted JSON: the values
    Column("shown", Text, nullable=False),  # JSON: the values without secrets
    Column("incident_id", Id, nullable=True),
    Column("rollback_of", Id, nullable=True),
    Column("heals", Boolean, nullable=False),
    Column("state", String(20), nullable=False),
    Column("detail", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("requested_by", String(64), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("answered_by", String(64), nullable=True),
    Column("answered_at", Instant, nullable=True),
    Column("standing", String(16), nullable=False),
    Column("started_at", Instant, nullable=True),
    Column("ended_at", Instant, nullable=True),
    Column("verified", Boolean, nullable=False),
    Column("lease_owner", String(80), nullable=False),
    Column("lease_token", String(32), nullable=False),
    Column("lease_until", Instant, nullable=True),
    Column("output_bytes", Integer, nullable=False),
    Index("ix_run_company_id", "company_id", "id"),
    Index("ix_run_incident_id", "incident_id"),
    Index("ix_run_state", "state"),
)


run_host = Table(
    "run_host",
    metadata,
    Column("run_id", Id, nullable=False),
    Column("host", String(255), nullable=False),
    of_company(),
    Column("position", Integer, nullable=False),
    Column("platform", String(16), nullable=False),
    Column("executor", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("exit_code", Integer, nullable=True),
    Column("detail", Text, nullable=False),
    Column("started_at", Instant, nullable=True),
    Column("ended_at", Instant, nullable=True),
    Column("output_bytes", Integer, nullable=False),
    Column("step", Integer, nullable=False, server_default="0"),  # its number over all phases, from 1
    Column("asked_at", Instant, nullable=True),
    Column("answer", String(16), nullable=False, server_default=""),
    Column("answered_by", String(64), nullable=False, server_default=""),
    PrimaryKeyConstraint("run_id", "host"),
)


run_step = Table(
    "run_step",
    metadata,
    Column("run_id", Id, nullable=False),
    Column("host", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="1"),
    of_company(),
    Column("phase", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("exit_code", Integer, nullable=True),
    Column("detail", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=True),
    PrimaryKeyConstraint("run_id", "host", "number", "attempt"),
)
"""Each try of each step; the last one is what became of the step."""


run_output = Table(
    "run_output",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    of_company(),
    Column("run_id", Id, nullable=False),
    Column("host", String(255), nullable=False),
    Column("number", Integer, nullable=False),  # of the step
    Column("error", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("text", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="1"),
    Index("ix_run_output_run_id", "run_id", "id"),
    sqlite_autoincrement=True,
)
"""What hosts printed, masked, up to a limit per host and run."""


standing_approval = Table(
    "standing_approval",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    of_company(),
    Column("runbook", String(80), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("targets", Text, nullable=False),  # JSON: patterns of names
    Column("hours", Text, nullable=False),  # JSON: from, until, days, zone
    Column("reason", Text, nullable=False),
    Column("granted_by", String(64), nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_by", String(64), nullable=True),
    Column("revoked_at", Instant, nullable=True),
    Index("ix_standing_approval_company_id", "company_id"),
)


self_heal = Table(
    "self_heal",
    metadata,
    of_company(),
    Column("runbook", String(80), nullable=False),
    Column("rules", Text, nullable=False),  # JSON
    Column("digest", String(64), nullable=False),
    Column("set_by", String(64), nullable=False),
    Column("set_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "runbook"),
)


run_rule = Table(
    "run_rule",
    metadata,
    Column("company_id", String(64), primary_key=True),
    Column("low", String(8), nullable=False),
    Column("medium", String(8), nullable=False),
    Column("set_by", String(64), nullable=False),
    Column("set_at", Instant, nullable=False),
)
"""As which risk a company's runs count: never less than what the runbook says."""
