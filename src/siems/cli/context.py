"""The door of the command line: the flags that every command takes, its output, its errors and exit codes."""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from siems import errors, places
from siems.client import Client, local

# Typer raises the errors of the click that it was built on; this is the one they all share
UsageError: type[Exception] = typer.BadParameter.__mro__[1]

FORMATS = ("table", "wide", "json", "jsonl", "yaml", "csv", "name")


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
    "timeout": (str, _option("10s", "--timeout", help="for the whole call", env="SIEMS_TIMEOUT")),
    "color": (str, _option("auto", "--color", help="auto, always or never")),
    "debug": (bool, _option(False, "--debug", help="tell on standard error what is sent", env="SIEMS_DEBUG")),
}  # fmt: skip
"""What every command takes. Declared on each one, since people write flags at the end."""


class Door:
    """One command's view of the world: its flags, its daemon, its output."""

    def __init__(self, flags: dict[str, Any]) -> None:
        from siems.grammar import parse_span

        self.flags = flags
        self.reason: str = flags["reason"]
        self.dry_run: bool = flags["dry_run"]
        self.quiet: bool = flags["quiet"]
        self.yes: bool = flags["yes"]
        self.fields: str = flags["fields"]
        self.idempotency_key: str = flags["idempotency_key"]
        self.format = _format(flags)
        self.timeout = parse_span(flags["timeout"]).total_seconds()
        self.color = _color(flags["color"])
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The daemon, as who is logged in."""
        if self._client is None:
            self._client = local(timeout=self.timeout)
            self._client.dry_run = self.dry_run
            self._client.debug = self.flags["debug"]
        return self._client

    @property
    def json(self) -> bool:
        return self.format in ("json", "jsonl", "yaml")

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
        typer.confirm(question, abort=True, err=True)

    def secret(self, prompt: str, *, flag: str) -> str:
        """A secret, typed without an echo. Raises UsageError naming the way where nobody can be asked."""
        if not self.interactive:
            raise errors.UsageError(f"{prompt} is needed, and nobody is here to type it", hint=flag)
        return str(typer.prompt(prompt, hide_input=True, err=True))

    def say(self, text: str) -> None:
        """A line for people; scripts that ask for data do not see it."""
        if not self.json and not self.quiet:
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


def _color(word: str) -> bool:
    if word not in ("auto", "always", "never"):
        raise errors.UsageError(f"--color takes auto, always or never, not {word!r}")
    if word != "auto":
        return word == "always"
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def leaf(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the shared flags: its first parameter becomes the door that holds them."""
    signature = inspect.signature(command, eval_str=True)
    own = list(signature.parameters.values())[1:]
    taken = {p.name for p in own}
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in SHARED.items()
        if name not in taken
    ]

    @functools.wraps(command)
    def wrapper(**given: Any) -> Any:
        flags = {name: given.get(name, "") for name in SHARED}
        for parameter in shared:
            given.pop(parameter.name)
        return command(Door(flags), **given)

    named = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    wrapper.__signature__ = signature.replace(parameters=[*named, *shared])  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in (*named, *shared)}
    return wrapper


def new_app(help: str) -> typer.Typer:
    """A noun, without what makes Typer slow to start."""
    return typer.Typer(
        help=help, add_completion=False, rich_markup_mode=None, no_args_is_help=True,
        pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip


# --- running and failing ---------------------------------------------------------------------------------------


def run_app(app: typer.Typer, noun: str, argv: list[str], *, single: bool = False) -> int:
    """Run a noun's command and turn what happens into an exit code."""
    prog, args = _narrow(app, noun, argv, single=single)
    command = typer.main.get_command(app)
    wants_json = "--json" in argv or "json" in argv or os.environ.get("SIEMS_OUTPUT") == "json"
    try:
        result = command.main(args, prog_name=prog, standalone_mode=False)
        sys.stdout.flush()
    except errors.SiemsError as error:
        return _fail(error, wants_json)
    except UsageError as error:
        return _fail(_usage(error), wants_json)
    except typer.Exit as done:
        return int(done.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # whoever read us has enough: keep Python from complaining when it closes its output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as bug:
        return _fail(_bug(bug), wants_json)
    return result if isinstance(result, int) else 0


def _narrow(app: typer.Typer, noun: str, argv: list[str], *, single: bool) -> tuple[str, list[str]]:
    """Build only the command that was typed: each one not built is a millisecond. (Its name, its arguments.)"""
    verb = noun if single else (argv[0] if argv else "")
    found = [c for c in app.registered_commands if (c.name or getattr(c.callback, "__name__", "")) == verb]
    if found and (len(app.registered_commands) > 1 or app.registered_groups):
        app.registered_commands, app.registered_groups = found, []
        return f"siems {noun}" if single else f"siems {noun} {verb}", argv if single else argv[1:]
    return f"siems {noun}", argv or ([] if single else ["--help"])


def _usage(error: Any) -> errors.UsageError:
    from siems.present import safe

    hint = f"{error.ctx.command_path} --help" if error.ctx is not None else "siems --help"
    near = getattr(error, "possibilities", None)
    if near:
        hint = f"did you mean {min(near)}?"
    message = safe(error.format_message().splitlines()[0])
    return errors.UsageError(message[:1].lower() + message[1:], hint=hint)


def _bug(error: Exception) -> errors.SiemsError:
    import traceback

    file = places.state_dir() / "last-error.txt"
    try:
        places.write_private(file, "".join(traceback.format_exception(error)))
    except OSError:
        file = Path("")
    return errors.SiemsError(f"this is a bug in siems: {type(error).__name__}: {error}", hint=f"details: {file}")


def _fail(error: errors.SiemsError, as_json: bool) -> int:
    """Say what is wrong, and in the last line what to type next."""
    from siems.present import safe

    if as_json:
        said = {
            "code": error.code, "exit": error.exit, "message": error.message, "hint": error.hint,
            "request_id": error.request_id,
        }  # fmt: skip
        print(json.dumps({"error": said}), file=sys.stderr)
        return error.exit
    print(f"error: {safe(error.message)}  ({error.code}, exit {error.exit})", file=sys.stderr)
    if error.retry_after:
        print(f"  try again in {error.retry_after} s", file=sys.stderr)
    if error.hint:
        print(f"  {safe(error.hint)}", file=sys.stderr)
    return error.exit
