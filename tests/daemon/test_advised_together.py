"""Advice on several incidents of one client at once: kept together, and one that cannot be kept holds up no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from siems.clock import ManualClock
from siems.errors import Conflict
from siems.services import advising

from .house import ALERT, House, open_house, unlike


async def told(house: House) -> list[str]:
    """Who has advice, after all that waits was looked at."""
    house.clock.advance(seconds=30)  # type: ignore[attr-defined]
    await house.runtime.advising.jobs.settle()
    found = await house.ask("root", "GET", "/incidents?limit=50")
    return sorted(one["id"] for one in found.json()["items"] if one["insight"] is not None)


async def test_what_waits_is_kept_a_few_at_a_time(
    database_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    whole = advising.keep_some

    def counted(uow: Any, said: Sequence[Any]) -> None:
        kept.append(len(said))
        if len(said) > 1 and len(kept) == 1:
            raise Conflict("one of them is not to be had")
        whole(uow, said)

    monkeypatch.setattr(advising, "keep_some", counted)
    async with open_house(database_url, clock) as house:
        for number in range(8):
            await house.alert(ALERT | unlike(f"problem {chr(97 + number) * 5}", f"host-{number}"))
        assert len(await told(house)) == 8
    assert kept[0] > 1, "in one verb"
    assert kept.count(1) >= kept[0], "and each by itself where that failed"
    assert sum(kept) == 8 + kept[0]
