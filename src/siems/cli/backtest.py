"""`siems backtest`: what the last weeks would have looked like under the settings of a file."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.correlation import asked, preview_lines, replayed
from siems.cli.show import Column, Item, field, show_list

app = new_app("What the past would have looked like under other correlation settings.")
COMMANDS = ("backtest",)

_WORDS = {
    "strategy": str, "window": str, "min_alerts": int, "quiet_delay": str, "auto_resolve": bool, "reopen": str,
    "close_after": str, "cascades": bool, "texts": bool,
}  # fmt: skip
COLUMNS = (
    Column("COMPANY", lambda p: p["id"]),
    field("ALERTS", "alerts"),
    Column("BEFORE", lambda p: p["before"]["incidents"]),
    Column("AFTER", lambda p: p["after"]["incidents"]),
    Column("NOISE-", lambda p: p["before"]["noise_reduction"], lambda p: f"{p['before']['noise_reduction']:.1f} %"),
    Column("NOISE-AFTER", lambda p: p["after"]["noise_reduction"], lambda p: f"{p['after']['noise_reduction']:.1f} %"),
    field("JOINED", "joined"),
    field("SPLIT", "split"),
)


@app.command()
@leaf
def backtest(
    door: Door,
    settings: Annotated[str, typer.Option("--with", help="a TOML file with settings, - for standard input")],
    since: Annotated[str, typer.Option("--since", help="how far back: 30d")] = "30d",
    company: Annotated[str, typer.Option("--company", help="acme; else all that you may change")] = "",
    show: Annotated[int, typer.Option("--show", help="so many of the differences")] = 5,
) -> int:
    """Replay stored alerts in memory under other settings; nothing is changed.

    siems backtest --since 30d --with wider.toml
    siems backtest --since 7d --company acme --with wider.toml --json

    The file holds what `siems correlation edit` takes: strategy = "auto", window = "20m", min_alerts = 2,
    quiet_delay, auto_resolve, reopen, close_after, cascades, texts, enabled.
    """
    from siems.moments import seconds

    ask = _read(settings)
    refs = [company] if company else [c["id"] for c in door.client.companies()]
    if not refs:
        raise errors.NotFound("there is no company yet", hint="siems company onboard NAME")
    found: list[Item] = []
    failed: errors.SiemsError | None = None
    for ref in refs:
        try:
            found.append(replayed(door, ref, since_seconds=seconds(since), show=show, **ask))
        except errors.SiemsError as error:
            if len(refs) == 1:
                raise
            failed = error
            door.note(f"{ref}: {error.message}")
    if len(found) == 1 and door.format == "table" and not door.fields and sys.stdout.isatty():
        print("\n".join(preview_lines(found[0])))
    else:
        show_list(door, found, COLUMNS)
    if failed is None:
        return 0
    return 7 if found else failed.exit


def _read(path: str) -> dict[str, Any]:
    """The settings of a file. Raises UsageError naming the file and what is wrong with it."""
    import tomllib

    try:
        if path == "-":
            text = sys.stdin.read()
        else:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        said = tomllib.loads(text)
    except OSError as why:
        raise errors.UsageError(f"{path} cannot be read ({why.strerror})", hint="--with FILE") from why
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as why:
        raise errors.UsageError(f"{path} is no TOML: {why}", hint='write it like  strategy = "auto"') from why
    enabled = said.pop("enabled", None)
    words: dict[str, Any] = {**_WORDS, "enabled": bool}
    for name, value in (*said.items(), ("enabled", enabled)):
        _check(path, name, value, words)
    given = {name: said.get(name) for name in _WORDS}
    return {**asked(**given), "enabled": enabled}


def _check(path: str, name: str, value: Any, words: dict[str, Any]) -> None:
    if name not in words:
        from difflib import get_close_matches

        near = get_close_matches(name, words, n=1)
        hint = f"did you mean {near[0]}?" if near else f"one of: {', '.join(words)}"
        raise errors.UsageError(f"{path}: there is no setting {name!r}", hint=hint)
    if value is not None and type(value) is not words[name]:
        example = {str: '"20m"', int: "2", bool: "true"}[words[name]]
        raise errors.UsageError(f"{path}: {name} cannot be {value!r}", hint=f"write it like  {name} = {example}")
