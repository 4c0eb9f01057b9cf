"""The door of the command line: the flags that every command takes, its output, its errors and exit codes."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from siems import contexts, errors
from siems.client import Client, local

FORMATS = ("table", "wide", "json", "jsonl", "yaml", "csv", "name")
FOR_SCRIPTS = ("json", "jsonl", "yaml")
TIMEOUT = "10s"


def _option(default: Any, *names: str, help: str, env: str | None = None, hidden: bool = False) -> Any:
    return typer.Option(default, *names, help=help, envvar=env, hidden=hidden, show_default=False, show_envvar=False)


SHARED: dict[str, tuple[Any, Any]] = {
    "output": (str, _option("", "-o", "--output", help=", ".join(FORMATS), env="SIEMS_OUTPUT")),
    "as_json": (bool, _option(False, "--json", help="short for -o json")),
    "fields": (str, _option("", "--fields", help="only these fields, with commas; ? lists them")),
    "jq": (str, _option("", "--jq", help="filter the JSON")),
    "quiet": (bool, _option(False, "-q", "--quiet", help="only ids")),
    "yes": (bool, _option(False, "-y", "--yes", help="do not ask")),
    "confirm": (str, _option("", "--confirm", help="the name of what a severe act is about")),
    "no_input": (bool, _option(False, "--no-input", help="never prompt", env="SIEMS_NO_INPUT")),
    "dry_run": (bool, _option(False, "-n", "--dry-run", help="try it, change nothing")),
    "reason": (str, _option("", "--reason", help="goes into the audit log")),
    "idempotency_key": (str, _option("", "--idempotency-key", help="makes sending twice safe")),
    "context": (str, _option("", "--context", help="which daemon", env="SIEMS_CONTEXT")),
    "timeout": (str, _option(TIMEOUT, "--timeout", help="for the whole call", env="SIEMS_TIMEOUT")),
    "color": (str, _option("auto", "--color", help="auto, always or never")),
    "debug": (bool, _option(False, "--debug", help="tell on standard error what is sent", env="SIEMS_DEBUG")),
}  # fmt: skip
"""What every command takes. Declared on each one, since people write flags at the end."""


class Door:
    """One command's view of the world: its flags, its daemon, its output."""

    def __init__(self, flags: dict[str, Any]) -> None:
        self.flags = flags
        self.reason: str = flags["reason"]
        self.dry_run: bool = flags["dry_run"]
        self.quiet: bool = flags["quiet"]
        self.yes: bool = flags["yes"]
        self.fields: str = flags["fields"]
        self.idempotency_key: str = flags["idempotency_key"]
        self.format = _format(flags)
        self.timeout = _seconds(flags["timeout"])
        self.color = _color(flags["color"])
        self.filter = _filter(flags["jq"])
        self._client: Client | None = None
        if flags["context"]:
            os.environ["SIEMS_CONTEXT"] = flags["context"]

    @property
    def client(self) -> Client:
        """The daemon, as who is logged in."""
        if self._client is None:
            self._client = self._reach(identified=True)
        return self._client

    @property
    def stranger(self) -> Client:
        """The daemon, as nobody: for those who begin or end a session."""
        return self._reach(identified=False)

    def forget_client(self) -> None:
        """Look for the daemon again the next time: it may have moved."""
        self._client = None

    def _reach(self, *, identified: bool) -> Client:
        client = local(timeout=self.timeout, identified=identified)
        client.dry_run = self.dry_run
        client.debug = self.flags["debug"]
        if contexts.chosen().confirm_writes:
            client.guard = lambda: self.ask(f"this changes {client.context} ({client.url}): go on?", flag="--yes")
        return client

    @property
    def json(self) -> bool:
        return self.format in FOR_SCRIPTS

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to be asked."""
        prompts = not (self.flags["no_input"] or os.environ.get("CI"))
        return prompts and sys.stdin.isatty() and sys.stdout.isatty()

    def ask(self, question: str, *, flag: str) -> None:
        """Go on only with a yes. Raises UsageError naming the flag where nobody can be asked."""
        if self.yes or self.dry_run:
            return
        if not self.interactive:
            raise errors.UsageError(f"{question} needs a yes, and nobody is here to give it", hint=f"add  {flag}")
        if not typer.confirm(question, err=True):
            self.note("nothing was changed")
            raise typer.Exit(130)

    def sure(self, what: str, name: str) -> None:
        """Go on with a severe act only when its object was named: by `--confirm`, or typed. Raises UsageError."""
        if self.dry_run or self.flags["confirm"] == name:
            return
        if self.flags["confirm"] or not self.interactive:
            raise errors.UsageError(f"{what}: that has to be confirmed by its name", hint=f"add  --confirm {name}")
        if typer.prompt(f"{what}. Type {name} to go on", err=True) != name:
            self.note("nothing was changed")
            raise typer.Exit(130)

    def secret(self, prompt: str, *, flag: str) -> str:
        """A secret, typed without an echo. Raises UsageError naming the way where nobody can be asked."""
        if not self.interactive:
            raise errors.UsageError(f"{prompt} is needed, and nobody is here to type it", hint=flag)
        return str(typer.prompt(prompt, hide_input=True, err=True))

    def say(self, text: str) -> None:
        """A line for people; scripts that ask for data do not see it."""
        if self.format in ("table", "wide") and not self.quiet:
            print(text)

    def note(self, text: str) -> None:
        """A line on standard error."""
        if not self.quiet:
            print(text, file=sys.stderr)


def _format(flags: dict[str, Any]) -> str:
    if flags["as_json"] or flags["jq"]:
        return "json"
    if flags["quiet"] and not flags["output"]:
        return "name"
    found: str = flags["output"] or "table"
    if found not in FORMATS:
        raise errors.UsageError(f"there is no output {found!r}", hint=f"one of: {', '.join(FORMATS)}")
    return found


def _filter(expression: str) -> Any:
    """The filter of `--jq`, read before anything is done: an answer may hold what is shown only once."""
    if not expression:
        return None
    try:
        import jq  # type: ignore[import-not-found]
    except ImportError as why:
        raise errors.UsageError("--jq needs the package jq", hint="pip install jq, or pipe into jq") from why
    try:
        return jq.compile(expression)
    except ValueError as why:
        raise errors.UsageError(f"--jq cannot be read: {why}", hint="--jq .id") from why


def _seconds(text: str) -> float:
    if text == TIMEOUT:
        return 10.0
    from siems.grammar import parse_span

    found = parse_span(text).total_seconds()
    if found <= 0:
        raise errors.UsageError(f"--timeout {text} leaves no time at all", hint="--timeout 10s")
    return found


def _color(word: str) -> bool:
    if word not in ("auto", "always", "never"):
        raise errors.UsageError(f"--color takes auto, always or never, not {word!r}", hint="--color never")
    if word != "auto":
        return word == "always"
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def leaf(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that takes the shared flags: its first parameter is the door that holds them.

    Only a mark: the one command that was typed gets its flags in `dressed`, the others need not pay for theirs.
    """
    command.__leaf__ = True  # type: ignore[attr-defined]
    return command


def dressed(command: Callable[..., Any]) -> Callable[..., Any]:
    """A leaf with the shared flags in its signature, for Typer to read."""
    signature = inspect.signature(command, eval_str=True)
    own = list(signature.parameters.values())[1:]
    taken = {p.name for p in own}
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in SHARED.items()
        if name not in taken
    ]

    def wrapper(**given: Any) -> Any:
        flags = {name: given.get(name, "") for name in SHARED}
        if "color" in taken:  # there it is something else's colour
            flags["color"] = "auto"
        for parameter in shared:
            given.pop(parameter.name)
        return command(Door(flags), **given)

    named = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
    wrapper.__signature__ = signature.replace(parameters=[*named, *shared])  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in (*named, *shared)}
    return wrapper


def new_app(help: str) -> typer.Typer:
    """A noun, without what makes Typer slow to start."""
    return typer.Typer(
        help=help, add_completion=False, rich_markup_mode=None, no_args_is_help=True,
        pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip
