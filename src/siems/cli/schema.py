"""`siems schema`: the JSON shapes that scripts rely on."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app

app = new_app("JSON shapes.")
COMMANDS = ("schema",)


@app.command()
@leaf
def schema(door: Door, name: Annotated[str, typer.Argument(help="IncidentView, AlertView ...")] = "") -> None:
    """The JSON Schema of a shape; without a name, the names."""
    import msgspec

    from siems import wire

    shapes = {
        key: value
        for key, value in vars(wire).items()
        if isinstance(value, type) and issubclass(value, (wire.Wire, wire.Ask)) and key not in ("Wire", "Ask", "Page")
    }
    if not name:
        print("\n".join(sorted(shapes)))
        return
    if name not in shapes:
        from difflib import get_close_matches

        near = get_close_matches(name, shapes, n=1, cutoff=0.4)
        raise errors.NotFound(
            f"there is no shape {name!r}", hint=f"did you mean {near[0]}?" if near else "siems schema"
        )
    print(json.dumps(msgspec.json.schema(shapes[name]), indent=2))
