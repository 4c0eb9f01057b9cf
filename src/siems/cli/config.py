"""`siems config`: the settings in force."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from siems import errors, places
from siems.cli import process
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import field, show_list

app = new_app("Settings: list, path.")
COLUMNS = (field("KEY", "key"), field("VALUE", "value"), field("ORIGIN", "origin", grows=True))


@app.command("list")
@leaf
def list_(door: Door, show_origin: Annotated[bool, typer.Option("--show-origin", help="always shown")] = False) -> None:
    """Every setting, its value, and whether it is a default, from the file or from a variable."""
    import tomllib

    found = process.call("settings")
    file = next((p for p in places.settings_files() if p.exists()), None)
    written = tomllib.loads(file.read_text()) if file else {}
    items = []
    for section, values in found.items():
        for name, value in values.items():
            variable = f"SIEMS_{section}_{name}".upper()
            origin = "default"
            if variable in os.environ:
                origin = variable
            elif name in written.get(section, {}):
                origin = str(file)
            items.append({"key": f"{section}.{name}", "value": _hidden(name, value), "origin": origin})
    show_list(door, items, COLUMNS, id="key")


def _hidden(name: str, value: object) -> object:
    """A database URL may hold a password; a token is one; the daemon shows stars for what it knows to be secret."""
    if value == "*" * 10 or (name in ("token", "external_id") and value):
        return "(hidden)"
    if name == "url" and isinstance(value, str) and "@" in value:
        scheme, _, rest = value.partition("://")
        who, _, where = rest.rpartition("@")
        return f"{scheme}://{who.partition(':')[0]}@{where}"
    return value


@app.command()
@leaf
def path(door: Door) -> None:
    """Where settings are looked for; the first that exists is taken."""
    files = places.settings_files()
    if not files:
        raise errors.NotFound("settings are looked for nowhere")
    items = [{"path": str(file), "exists": file.exists()} for file in files]
    show_list(door, items, (field("PATH", "path"), field("EXISTS", "exists")), id="path")
