"""`siems context`: several daemons by name, each with a colour and how carefully one writes there."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from siems import contexts, errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, field, show_list, show_one
from siems.contexts import LOCAL, Context

app = new_app("Several daemons by name: list, use, show, add, delete, rename.")

COLUMNS = (
    field("NAME", "name"),
    Column("IN USE", lambda one: one["in_use"], lambda one: "*" if one["in_use"] else ""),
    field("URL", "url", grows=True),
    field("COLOUR", "color", drop=2),
    Column("WRITES", lambda one: _writes(one)),
    Column("SESSION", lambda one: one["session"], lambda one: "yes" if one["session"] else "--", drop=1),
)

Name = Annotated[str, typer.Argument(help="the name of the context")]


def _writes(one: Item) -> str:
    return "never" if one["read_only"] else "confirmed" if one["confirm_writes"] else "as ever"


def _shown(one: Context, current: str) -> dict[str, Any]:
    from siems import places

    url = one.url or ("the daemon of this machine" if one.name == LOCAL else "")
    session = places.session_file(one.name).exists()
    return asdict(one) | {"url": url, "in_use": one.name == current, "session": session}


@app.command("list")
@leaf
def list_(door: Door) -> None:
    """All contexts; the star marks the one in use: siems context list"""
    current, known = contexts.load()
    show_list(door, [_shown(one, current) for one in known.values()], COLUMNS, id="name")


def _card(one: Item) -> list[str]:
    lines = [
        f"{one['name']}{'  (in use)' if one['in_use'] else ''}", f"url      {one['url']}",
        f"writes   {_writes(one)}", f"colour   {one['color'] or 'none'}",
        f"session  {'logged in' if one['session'] else 'none:  siems login --context ' + one['name']}",
    ]  # fmt: skip
    return [*lines, f"token    {one['token_file']}"] if one["token_file"] else lines


@app.command()
@leaf
def show(door: Door, name: Annotated[str, typer.Argument(help="without a name the one in use")] = "") -> None:
    """One context: siems context show prod"""
    current, known = contexts.load()
    show_one(door, _shown(contexts.named(name or current, known), current), _card, id="name")


@app.command()
@leaf
def use(door: Door, name: Name) -> None:
    """Use this one from now on: siems context use prod"""
    current, known = contexts.load()
    contexts.named(name, known)
    if not door.dry_run:
        contexts.save(name, known)
    _changed(door, known[name], name, changed=name != current, said=f"{name} is in use")


def _changed(door: Door, one: Context, current: str, *, changed: bool, said: str) -> None:
    show_one(door, _shown(one, current) | {"changed": changed}, lambda _: [said], id="name")


@app.command()
@leaf
def add(
    door: Door,
    name: Name,
    url: Annotated[str, typer.Option("--url", help="https://siems.example")] = "",
    color: Annotated[str, typer.Option("--color", help=f"{', '.join(contexts.COLORS[1:])}; none")] = "",
    read_only: Annotated[bool | None, typer.Option("--read-only/--writable", help="nothing is changed there")] = None,
    confirm_writes: Annotated[
        bool | None, typer.Option("--confirm-writes/--no-confirm-writes", help="armed: each change is confirmed")
    ] = None,
    token_file: Annotated[str, typer.Option("--token-file", help="a file with a token, for cron")] = "",
) -> None:
    """Add a context, or change one: siems context add prod --url https://siems.example --color red"""
    current, known = contexts.load()
    before = known.get(name, Context(name))
    if not url and not before.url and name != LOCAL:
        raise errors.UsageError("where is it?", hint=f"siems context add {name} --url https://siems.example")
    one = contexts.checked(
        Context(
            name,
            url.rstrip("/") or before.url,
            "" if color == "none" else color or before.color,
            before.read_only if read_only is None else read_only,
            before.confirm_writes if confirm_writes is None else confirm_writes,
            token_file or before.token_file,
        )
    )
    if not door.dry_run:
        contexts.save(current, known | {name: one})
    new = name not in known
    first = f"siems status --context {name}" if one.token_file else f"siems login --context {name}"
    said = f"{name} is kept" + (f"; begin there:  {first}" if new else "")
    _changed(door, one, current, changed=known.get(name) != one, said=said)


@app.command()
@leaf
def delete(door: Door, name: Name) -> None:
    """Forget a context and its session: siems context delete prod"""
    from siems import session

    current, known = contexts.load()
    one = contexts.named(name, known)
    if name == LOCAL:
        raise errors.Conflict("local cannot be deleted: it is the daemon of this machine")
    door.ask(f"forget {name} and its session?", flag="--yes")
    if not door.dry_run:
        session.forget(name)
        left = {key: value for key, value in known.items() if key != name}
        contexts.save(LOCAL if current == name else current, left)
    _changed(door, one, LOCAL if current == name else current, changed=True, said=f"{name} is forgotten")


@app.command()
@leaf
def rename(door: Door, name: Name, to: Annotated[str, typer.Argument(help="its new name")]) -> None:
    """Give a context another name: siems context rename prod prod-eu"""
    from siems import session

    current, known = contexts.load()
    one = contexts.named(name, known)
    if LOCAL in (name, to):
        raise errors.Conflict("local keeps its name, and no other takes it")
    if to in known:
        raise errors.Conflict(f"there is a context {to} already", hint=f"siems context show {to}")
    new = contexts.checked(replace(one, name=to))
    if not door.dry_run:
        session.move(name, to)
        contexts.save(to if current == name else current, {(to if k == name else k): v for k, v in known.items()}
                      | {to: new})  # fmt: skip
    _changed(door, new, to if current == name else current, changed=True, said=f"{name} is called {to} now")
