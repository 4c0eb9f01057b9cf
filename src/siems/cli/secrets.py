"""Secrets on the command line: never among the arguments, written to private files, shown once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TextIO

import typer

from siems import errors

SecretsFile = Annotated[
    str, typer.Option("--secrets-file", help="write key and secret there, 0600; - for standard output")
]
SecretFile = Annotated[
    str, typer.Option("--secret-file", help="the secret that the tool has made, in a file; - for standard input")
]

Networks = Annotated[list[str] | None, typer.Option("--allow-cidr", help="only from there: 192.0.2.0/24; several")]
Expires = Annotated[str, typer.Option("--key-expires", help="when the key ends: 90d, 2027-01-31")]


@contextmanager
def written_to(file: str) -> Iterator[TextIO]:
    """The file that secrets go to, opened before they exist: what is shown once must not be lost for a typing error.

    Raises Conflict for a file that exists, and UsageError for one that cannot be written.
    """
    if file == "-":
        yield sys.stdout
        return
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as why:
        raise errors.Conflict(
            f"{file} exists already", hint="name another file: secrets are never overwritten"
        ) from why
    except OSError as why:
        raise errors.UsageError(f"{file} cannot be written ({why.strerror})", hint="name another file") from why
    try:
        with os.fdopen(handle, "w") as out:
            yield out
    except errors.SiemsError:
        os.unlink(file)
        raise


def variables(made: Mapping[str, Any]) -> str:
    """Id, URL, key and secret as lines that a shell reads; what was not made is left out."""
    lines = {
        "SIEMS_COMPANY": made["company_id"], "SIEMS_WEBHOOK": made["webhook_url"], "SIEMS_KEY": made["api_key"],
        "SIEMS_HMAC": made["hmac_secret"],
    }  # fmt: skip
    return "".join(f"{name}='{value}'\n" for name, value in lines.items() if value)


def unsaid(made: Mapping[str, Any]) -> dict[str, Any]:
    """The same without secrets; instructions that would hold them are left out, too."""
    hidden = {"api_key", "hmac_secret", "setup"}
    key = made.get("api_key") or ""
    return {
        name: value.replace(key, "...") if key and isinstance(value, str) else value
        for name, value in made.items()
        if name not in hidden
    }


def read_secret(file: str) -> str | None:
    """A secret that the tool has made, from a file or standard input. Raises UsageError."""
    if not file:
        return None
    try:
        if file == "-":
            text = sys.stdin.readline() if sys.stdin.isatty() else sys.stdin.read()
        else:
            with open(file) as handle:
                text = handle.read()
    except (OSError, UnicodeDecodeError) as why:
        raise errors.UsageError(f"{file} cannot be read ({why})", hint="--secret-file F, or -") from why
    if not text.strip():
        raise errors.UsageError(f"there is no secret in {'standard input' if file == '-' else file}")
    return text.strip()
