"""A long session is as small as a short one: what was painted in windows that are closed is let go."""

from __future__ import annotations

import gc

from driving import opened
from textual._styles_cache import StylesCache


def kept() -> int:
    gc.collect()
    return sum(type(one) is StylesCache for one in gc.get_objects())


async def test_windows_that_were_closed_leave_nothing_behind() -> None:
    async with opened(size=(120, 40)) as it:
        rounds = []
        for _ in range(4):
            await it.press("enter", "q", "question_mark", "escape", "colon", "escape", "at", "escape")
            rounds.append(kept())
        assert rounds[-1] <= rounds[0] + 2
