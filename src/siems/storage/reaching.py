"""How people are reached, as the writer remembers it; the addresses stay in the database."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import time, timedelta

from sqlalchemy import Connection, select

from siems.domain.reach import Contact, Preferences, Reach, Rule
from siems.storage import tables as t
from siems.vocabulary import Severity


@dataclass(frozen=True, slots=True)
class Follower:
    """Somebody who wants to hear of a company without being paged for it."""

    user_id: str
    severity: Severity
    about: tuple[str, ...]


OWN_MAIL = "mail:"
"""What the contact of a user's own mail address is called: it has no row."""


def load_reach(connection: Connection, channels: Collection[str]) -> dict[str, Reach]:
    """By user: contacts by channels that are set up, rules, preferences. Until one for mail is proven, the own
    address is one."""
    c = t.contact.c
    contacts: dict[str, list[Contact]] = {}
    proven: set[str] = set()
    every = select(c.id, c.user_id, c.channel, c.hint, c.verified_at).order_by(c.created_at, c.id)
    for row in connection.execute(every):
        if row.channel in channels:
            if row.channel == "email" and row.verified_at is not None:
                proven.add(row.user_id)
            contacts.setdefault(row.user_id, []).append(Contact(row.id, row.user_id, row.channel, row.hint))
    if "email" in channels:
        people = select(t.user.c.id, t.user.c.email).where(t.user.c.disabled.is_(False))
        for user_id, email in connection.execute(people):
            known = contacts.setdefault(user_id, [])
            if user_id not in proven:
                known.insert(0, Contact(f"{OWN_MAIL}{user_id}", user_id, "email", email[:64]))
    rules: dict[str, list[Rule]] = {}
    r = t.notify_rule.c
    for row in connection.execute(select(t.notify_rule).order_by(r.wait_seconds, r.created_at, r.id)):
        rules.setdefault(row.user_id, []).append(
            Rule(
                row.id, row.contact_id, Severity(row.severity), timedelta(seconds=row.wait_seconds),
                tuple(json.loads(row.about)), row.about_company,
            )
        )  # fmt: skip
    preferences = {
        row.user_id: Preferences(_clock(row.quiet_from), _clock(row.quiet_until), _clock(row.digest_at), row.zone)
        for row in connection.execute(select(t.notify_preference))
    }
    return {
        user_id: Reach(
            tuple(contacts.get(user_id, ())), tuple(rules.get(user_id, ())), preferences.get(user_id, Preferences())
        )
        for user_id in contacts.keys() | rules.keys() | preferences.keys()
    }  # fmt: skip


def _clock(text: str) -> time | None:
    return time.fromisoformat(text) if text else None


def load_followers(connection: Connection) -> dict[str, tuple[Follower, ...]]:
    """By company: who follows it."""
    found: dict[str, list[Follower]] = {}
    for row in connection.execute(select(t.subscription).order_by(t.subscription.c.user_id)):
        follower = Follower(row.user_id, Severity(row.severity), tuple(json.loads(row.about)))
        found.setdefault(row.company_id, []).append(follower)
    return {company_id: tuple(followers) for company_id, followers in found.items()}
