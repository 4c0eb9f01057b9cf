"""Hands on silences: make, change, look."""

from __future__ import annotations

from typing import Any

from siems.domain.permissions import Actor
from siems.domain.silence import Silence
from siems.services import silence_views, silences
from siems.services.views import load_names
from siems.wire import SilenceAsk, SilenceEndAsk, SilenceExtendAsk, SilencePreview, SilenceView

from .world import ACME, ROOT, World

HOUR = 3_600


def silence(world: World, *matchers: str, by: Actor = ROOT, company: str = ACME, **ask: Any) -> Silence:
    given: dict[str, Any] = {"seconds": 2 * HOUR, "comment": "battery swap"} | ask
    asked = SilenceAsk(company=company, matchers=list(matchers or ("asset=web*",)), **given)
    found = world.do(silences.create, by, company, asked, companies=(company,))
    assert isinstance(found, Silence)
    return found


def end(world: World, number: int = 1, *, by: Actor = ROOT, once: bool = False) -> tuple[Silence, bool]:
    found: tuple[Silence, bool] = world.do(silences.end, by, ACME, number, SilenceEndAsk(once=once))
    return found


def extend(world: World, number: int = 1, *, by: Actor = ROOT, **ask: Any) -> Silence:
    found = world.do(silences.extend, by, ACME, number, SilenceExtendAsk(**ask))
    assert isinstance(found, Silence)
    return found


def preview(world: World, *matchers: str) -> SilencePreview:
    names = world.database.read_now(load_names)
    found = world.do(silences.preview, ROOT, ACME, list(matchers), names)
    assert isinstance(found, SilencePreview)
    return found


def shown(world: World, number: int = 1) -> SilenceView:
    def look(connection: Any) -> SilenceView:
        found = silence_views.find_silence(connection, f"SIL-{number}", ROOT)
        return silence_views.show_silence(connection, found, world.clock.now())

    return world.database.read_now(look)


def alert(world: World, number: int = 1) -> dict[str, Any]:
    [found] = world.rows("SELECT * FROM alert WHERE id = :n", n=number)
    return found


def told(world: World, *types: str) -> list[tuple[str, str]]:
    rows = world.rows("SELECT type, object FROM event ORDER BY cursor")
    return [(row["type"], row["object"]) for row in rows if row["type"] in types]
