"""Running a command: the one that was typed is built, and what happens becomes an exit code and a last line."""

from __future__ import annotations

import json
import os
import sys
from inspect import cleandoc
from pathlib import Path
from typing import Any

import typer

from siems import errors, places
from siems.cli.context import FOR_SCRIPTS, dressed

# Typer raises the errors of the click that it was built on; this is the one they all share
UsageError: type[Exception] = typer.BadParameter.__mro__[1]

HELP = ("-h", "--help")


def run_app(app: typer.Typer, noun: str, argv: list[str], *, single: bool = False) -> int:
    """Run a noun's command; the exit code."""
    lists = any(command.name == "list" for command in app.registered_commands)
    try:
        prog, args = _narrow(app, noun, argv, single=single)
        result = typer.main.get_command(app).main(args, prog_name=prog, standalone_mode=False)
        sys.stdout.flush()
    except errors.SiemsError as error:
        if isinstance(error, errors.NotFound) and not error.hint and lists:
            run, company = "no RUN-" in error.message, error.message.startswith("there is no company ")
            error.hint = "siems runbook runs" if run else f"siems {'company' if company else noun} list"
        return fail(error, argv)
    except UsageError as error:
        return fail(_usage(error), argv)
    except typer.Exit as done:
        return int(done.exit_code)
    except typer.Abort:
        print("interrupted", file=sys.stderr)
        return 130
    except SystemExit as ended:  # so Typer ends when nobody reads on; that is no failure
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        raise
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as bug:
        return fail(_bug(bug), argv)
    return result if isinstance(result, int) else 0


def _narrow(app: typer.Typer, noun: str, argv: list[str], *, single: bool) -> tuple[str, list[str]]:
    """Build only the command that was typed: each one not built is a millisecond. (Its name, its arguments.)"""
    verb = noun if single else (argv[0] if argv else "")
    known = {_name(command): command for command in app.registered_commands}
    groups = [group.name for group in app.registered_groups]
    prog, args = f"siems {noun}", argv or ([] if single else ["--help"])
    if verb in known:
        app.registered_commands, app.registered_groups = [known[verb]], []
        if not single:
            prog, args = f"siems {noun} {verb}", argv[1:]
    elif not single and verb not in groups and not args[0].startswith("-"):
        raise _no_command(noun, verb, [*known, *map(str, groups)])
    _dress(app, told=any(word in HELP for word in args))
    return prog, args


def _name(command: Any) -> str:
    return str(command.name or command.callback.__name__)


def _no_command(noun: str, verb: str, known: list[str]) -> errors.UsageError:
    from difflib import get_close_matches

    near = get_close_matches(verb, known, n=1)
    hint = f"did you mean:  siems {noun} {near[0]}" if near else f"siems {noun} --help"
    return errors.UsageError(f"there is no command '{noun} {verb}'", hint=hint)


def _dress(app: typer.Typer, *, told: bool) -> None:
    """Give the commands that are left their flags; `told`: and their help its shape."""
    for command in app.registered_commands:
        if told and command.callback is not None:
            command.help, command.short_help = _shaped(command.callback.__doc__ or "")
        if getattr(command.callback, "__leaf__", False):
            command.callback = dressed(command.callback)  # type: ignore[arg-type]
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _dress(group.typer_instance, told=told)


def _typed(lines: list[str]) -> bool:
    """Whether a paragraph is what somebody types, rather than prose."""
    return "siems " in lines[0] or any(line.startswith("siems ") for line in lines)


def _shaped(text: str) -> tuple[str, str]:
    """(help with its examples as they were written, one line of it)."""
    first, *others = [part.strip("\n") for part in cleandoc(text).split("\n\n")]
    said, colon, example = first.partition(": siems ")
    if colon:
        others.insert(0, f"siems {example}")
    parts = [f"\b\n{part}" if _typed(part.splitlines()) else part for part in others if part]
    line = " ".join(said.split())
    line = line if line.endswith(".") else f"{line}."
    return "\n\n".join([line, *parts]), line


CLOSE = 0.75
SAME = {
    "--zone": ("--tz",), "--tz": ("--zone",), "--timezone": ("--tz", "--zone"), "--time-zone": ("--tz", "--zone"),
    "--client": ("--company",), "--tenant": ("--company",), "--format": ("--output",), "--owner": ("--to",),
    "--since": ("--from", "--range"), "--range": ("--since",), "--comment": ("--note",), "--member": ("--members",),
}  # fmt: skip
"""What other tools call an option that is called otherwise here."""

# --- what went wrong -------------------------------------------------------------------------------------------


def _usage(error: Any) -> errors.UsageError:
    from siems.present import safe

    path = error.ctx.command_path if error.ctx is not None else "siems"
    message = safe(error.format_message().splitlines()[0]).partition(". Did you mean")[0]
    hint = f"{path} --help"
    if (near := getattr(error, "possibilities", None)) is not None:
        from difflib import get_close_matches

        message = f"there is no option {error.option_name}"
        best = get_close_matches(error.option_name, near, n=1, cutoff=CLOSE)
        meant = SAME.get(error.option_name, ())
        known = {name for param in error.ctx.command.params for name in param.opts} if error.ctx is not None else set()
        if found := [name for name in meant if name in known] or best:
            hint = f"did you mean:  {path} {found[0]}"
    return errors.UsageError(message[:1].lower() + message[1:].rstrip("."), hint=hint)


def _bug(error: Exception) -> errors.SiemsError:
    import traceback

    file = places.state_dir() / "last-error.txt"
    try:
        places.write_private(file, "".join(traceback.format_exception(error)))
    except OSError:
        file = Path("")
    return errors.SiemsError(f"this is a bug in siems: {type(error).__name__}: {error}", hint=f"details: {file}")


def fail(error: errors.SiemsError, argv: list[str]) -> int:
    """Say what is wrong, and in the last line what to type next; for scripts, as one JSON object."""
    if _for_script(argv):
        said = {
            "code": error.code, "exit": error.exit, "message": error.message, "hint": error.hint,
            "request_id": error.request_id,
        }  # fmt: skip
        print(json.dumps({"error": said}), file=sys.stderr)
        return error.exit
    from siems.present import safe

    print(f"error: {safe(error.message)}  ({error.code}, exit {error.exit})", file=sys.stderr)
    if error.retry_after:
        print(f"  try again in {error.retry_after} s", file=sys.stderr)
    if error.hint:
        print(f"  {safe(error.hint)}", file=sys.stderr)
    return error.exit


def _for_script(argv: list[str]) -> bool:
    """Whether JSON was asked for; the arguments may be ones that cannot be parsed."""
    for word, following in zip(argv, [*argv, ""][1:], strict=True):
        if word == "--":
            break
        if word == "--json" or word.partition("=")[0] == "--jq":
            return True
        if word in ("-o", "--output"):
            return following in FOR_SCRIPTS
        if word.startswith(("-o", "--output=")):
            return word.removeprefix("--output=").removeprefix("-o").removeprefix("=") in FOR_SCRIPTS
    return os.environ.get("SIEMS_OUTPUT") in FOR_SCRIPTS
