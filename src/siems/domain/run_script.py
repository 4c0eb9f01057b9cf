"""Scripts as a shell reads them: the values first, quoted, then the text, which is never touched."""

from __future__ import annotations

from collections.abc import Mapping

from siems.domain.runbook import Shell


def with_values(shell: Shell, values: Mapping[str, str], text: str) -> str:
    """The script behind lines that set its values, for ways that cannot set an environment."""
    return "".join(f"{line}\n" for line in prelude(shell, values)) + text


def prelude(shell: Shell, values: Mapping[str, str]) -> list[str]:
    """One line for each value; whatever it holds, the shell reads it as one word."""
    if shell is Shell.POWERSHELL:
        # ’ and its like end a string there, too
        return [f"$env:{name} = '{_doubled(value)}'" for name, value in values.items()]
    return [f"export {name}={_quoted(value)}" for name, value in values.items()]


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\"'\"'") + "'"


def _doubled(value: str) -> str:
    for quote in "'‘’‚‛":
        value = value.replace(quote, quote * 2)
    return value


def block(text: str) -> str:
    """A POSIX script read to its end before any of it is run, and cut off from the input that it came by."""
    return "{ :\n" + text + "\n} </dev/null\n"
