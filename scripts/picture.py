"""Writes docs/board.svg: the real board over a real daemon that has lived through the hour of `siems demo`."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from html import escape, unescape
from pathlib import Path

from siems.cli.demo import performance
from siems.client import Client
from siems.tui.app import SiemsApp

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "board.svg"
SIZE = (120, 40)
SEED, SPEED = 7, 120.0
SHOWN = "High CPU usage across 5 servers"


async def screenshot(client: Client) -> str:
    """The board with one incident selected, as an SVG."""
    client.via = "tui"
    app = SiemsApp(client)
    async with app.run_test(size=SIZE) as pilot:
        await _until(lambda: app.loaded and app.summary is not None)
        while (view := app.model.current) is not None and view.title != SHOWN:
            before = view.id
            await pilot.press("j")
            if app.model.current is None or app.model.current.id == before:
                break
        await asyncio.sleep(app.rest)
        await _until(lambda: app.link.reads.idle)
        await pilot.pause(2.5)  # rows keep their places while keys are pressed; then everything is where it belongs
        picture = app.export_screenshot(title="siems")
        app.link.stop()
    return picture


async def _until(met: object) -> None:
    for _ in range(400):
        if met():  # type: ignore[operator]
            return
        await asyncio.sleep(0.05)
    raise SystemExit("the board was not ready within 20 s")


CELL = 12.2
"""The width of a column in the exported picture."""
_TEXT = re.compile(r'<text class="([^"]*)" x="([\d.]+)" y="([^"]*)" textLength="[\d.]+" ([^>]*)>((?:[^<])*)</text>')


def plain(svg: str) -> str:
    """The picture without anything to load, and without blanks that some viewers drop: places say where words are."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}\s*|<!--.*?-->\s*", "", svg)
    svg = svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")
    svg = re.sub(r"terminal-\d+", "board", svg)
    return _TEXT.sub(_placed, svg)


def _placed(found: re.Match[str]) -> str:
    kind, x, y, rest, shown = found.groups()
    words = unescape(shown).replace("\xa0", " ")
    text = words.strip()
    if not text:
        return ""
    at = float(x) + CELL * (len(words) - len(words.lstrip()))
    inside = escape(text).replace(" ", "&#160;")
    return f'<text class="{kind}" x="{at:g}" y="{y}" textLength="{CELL * len(text):g}" {rest}>{inside}</text>'


def main() -> int:
    for name in ("NO_COLOR", "SIEMS_A11Y"):
        os.environ.pop(name, None)
    with performance(seed=SEED, speed=SPEED) as (client, _):
        picture = plain(asyncio.run(screenshot(client)))
    PICTURE.write_text(picture)
    print(f"wrote {PICTURE.relative_to(PICTURE.parents[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
