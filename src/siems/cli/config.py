"""`siems config`: the settings in force."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from siems import errors, places
from siems.cli import process
from siems.cli.context import Door, leaf, new_app
from siems.cli.secrets import SecretFile, read_secret
from siems.cli.show import field, show_list, show_one
from siems.cli.table import plain

app = new_app("Settings: list, get, set, unset, path.")
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


SECRETS = ("external_id", "key", "password", "private_key", "secret", "signing_secret", "token")
"""What is never said back, not even to whoever has just typed it: it would stay in the terminal's memory."""


def _secret(key: str) -> bool:
    return key.rpartition(".")[2].replace("-", "_") in SECRETS


def _hidden(name: str, value: object) -> object:
    """A database URL may hold a password; a token is one; the daemon shows stars for what it knows to be secret."""
    if value == "*" * 10 or (name in SECRETS and value):
        return "(hidden)"
    if name == "url" and isinstance(value, str) and "@" in value:
        scheme, _, rest = value.partition("://")
        who, _, where = rest.rpartition("@")
        return f"{scheme}://{who.partition(':')[0]}@{where}"
    return value


Key = Annotated[str, typer.Argument(help="server.port, executors.local.enabled")]
AT_ONCE = ("executors",)
"""Sections that a running daemon looks at again by itself."""


@app.command()
@leaf
def get(door: Door, key: Key) -> None:
    """The value in force: siems config get executors.local.enabled"""
    section, name = _known(key)
    value = _hidden(name, process.call("settings")[section][name])
    show_one(door, {"key": f"{section}.{name}", "value": value}, lambda s: [plain(s["value"])], id="key")


@app.command("set")
@leaf
def set_(
    door: Door,
    key: Key,
    value: Annotated[str | None, typer.Argument(help="as it stands in siems.toml, without quotes")] = None,
    secret_file: SecretFile = "",
) -> None:
    """Write a setting into siems.toml: siems config set executors.local.enabled true

    Secrets go without standing on the command line, where the shell keeps them and other users see them:
    siems notify browser --new-key | siems config set webpush.private_key --secret-file -
    """
    way = "--secret-file -" if _secret(key) else "VALUE, or --secret-file F"
    if value is not None and secret_file:
        raise errors.UsageError(
            "VALUE and --secret-file are both given: one of the two is enough",
            hint=f"siems config set {key} {way}",
        )
    if value is None and not secret_file:
        raise errors.UsageError(f"what is {key} to be?", hint=f"siems config set {key} {way}")
    _write(door, key, read_secret(secret_file) or value or "")
    if value and _secret(key):
        door.note("note: the shell may have kept this secret; next time  --secret-file -  reads it from standard input")


@app.command()
@leaf
def unset(door: Door, key: Key) -> None:
    """Take a setting out of siems.toml, so that its default counts: siems config unset executors.local.enabled"""
    _write(door, key, None)


def _known(key: str) -> tuple[str, str]:
    """(section, name) of a key; what stands behind the first dot may have dots in place of _. Raises NotFound."""
    from difflib import get_close_matches

    section, _, rest = key.strip().partition(".")
    name = rest.replace(".", "_").replace("-", "_")
    found = process.call("settings")
    if name in found.get(section, {}):
        return section, name
    known = [f"{one}.{inner}" for one, values in found.items() for inner in values]
    near = get_close_matches(f"{section}.{name}", known, n=1)
    hint = f"did you mean {near[0]}?" if near else "siems config list"
    raise errors.NotFound(f"there is no setting {key!r}", hint=hint)


def _write(door: Door, key: str, value: str | None) -> None:
    """Change one line of the file; it is kept only if the daemon could read it. Raises UsageError."""
    from siems.cli.settings_file import changed

    section, name = _known(key)
    files = places.settings_files()
    file = next((p for p in files if p.exists()), files[0] if files else None)
    if file is None:
        raise errors.NotFound("settings are looked for nowhere", hint="siems init")
    before = file.read_text() if file.exists() else ""
    after = changed(before, section, name, value)
    if after != before and not door.dry_run:
        places.write_private(file, after)
        try:
            process.call("settings")
        except errors.SiemsError:
            places.write_private(file, before)
            raise
    variable = f"SIEMS_{section}_{name}".upper()
    if variable in os.environ:
        door.note(f"note: the variable {variable} is set, and goes before the file")
    again = "in force at once" if section in AT_ONCE else "in force when the daemon is restarted:  siems daemon restart"
    item = {"key": f"{section}.{name}", "value": _hidden(name, value), "file": str(file), "changed": after != before}
    said = "unset" if value is None else f"= {item['value']}"
    dry = " (dry run, nothing is written)" if door.dry_run else ""
    words = f", {again}" if after != before else ", already so"
    show_one(door, item, lambda s: [f"{s['key']} {said} in {s['file']}{dry or words}"], id="key")


@app.command()
@leaf
def path(door: Door) -> None:
    """Where settings are looked for; the first that exists is taken."""
    files = places.settings_files()
    if not files:
        raise errors.NotFound("settings are looked for nowhere")
    items = [{"path": str(file), "exists": file.exists()} for file in files]
    show_list(door, items, (field("PATH", "path"), field("EXISTS", "exists")), id="path")
