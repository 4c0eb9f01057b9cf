"""Down and up again with advice that people decided on, and with what a sentence model made of signatures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from services.world import ACME, World
from siems.clock import ManualClock
from siems.storage import migrations
from siems.storage import tables as t
from siems.storage.database import open_engine, parse_url

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)


def advice(number: int, decided: datetime | None) -> dict[str, Any]:
    """Advice on an incident, decided or not."""
    values: dict[str, Any] = {
        column.name: "" for column in t.advice.columns if not column.nullable and column.type.python_type is str
    }
    values |= {"evidence": "[]", "similar": "[]", "dues": "null", "incident_id": number, "company_id": ACME}
    values |= {"at": AT, "signature": "disk_full", "alert_count": 1, "confidence": 0.5}
    return values | {"severity_confidence": 0.5, "category_confidence": 0.5, "decided_at": decided}


def test_before_the_sentence_model_advice_is_what_it_was_and_vectors_are_made_anew(database_url: str) -> None:
    world = World(database_url, ManualClock(AT))
    world.fires("a")
    world.fires("b", "disk_full")
    world.stop()
    engine = open_engine(parse_url(database_url))
    vector = {"company_id": ACME, "signature": "disk_full", "model": "m", "at": AT, "vector": b"\x00\x01"}
    try:
        with engine.begin() as connection:
            connection.execute(insert(t.advice), [advice(1, None), advice(2, AT)])
            connection.execute(insert(t.sentence_vector), [vector])
            before = connection.execute(select(t.advice).order_by(t.advice.c.incident_id)).all()
        migrations.downgrade(engine, "0024")
        with engine.connect() as connection:
            assert connection.execute(select(t.advice).order_by(t.advice.c.incident_id)).all() == before
        migrations.upgrade(engine)
        migrations.check(engine)
        with engine.connect() as connection:
            assert connection.execute(select(t.advice).order_by(t.advice.c.incident_id)).all() == before
            assert connection.execute(select(t.sentence_vector)).all() == []
    finally:
        engine.dispose()
