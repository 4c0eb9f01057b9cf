"""Writes docs/reference/ and siems.toml.example from the code, so that they cannot drift from it.

`python scripts/reference.py` writes; `--check` names what is out of date and ends with 1.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import typer
from answers_advice import ADVICE
from answers_core import CORE
from answers_groups import GROUPS
from answers_messages import MESSAGES
from answers_oncall import ONCALL
from answers_people import PEOPLE
from answers_runs import RUNS
from reference_openapi import openapi
from reference_tools import tools

from siems import config, errors, grammar, wire
from siems.cli import ALIASES, NOUNS
from siems.cli.context import SHARED, dressed
from siems.cli.help import TOPICS
from siems.daemon.http.api import ROUTES
from siems.domain.alert import SEVERITY_WORDS
from siems.domain.permissions import ALLOWED, Permission
from siems.services import asset_queries, filters
from siems.tui.actions import DEEDS, Level, Where, shown
from siems.vocabulary import Role, Severity

ROOT = Path(__file__).resolve().parents[1]
MADE = "<!-- made by scripts/reference.py: change the code, then run it again -->\n\n"

# --- the command line ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """One thing that can be typed: `("sla", "policy", "set")`, with its arguments and flags."""

    words: tuple[str, ...]
    help: str
    params: tuple[Any, ...]

    @property
    def own(self) -> list[Any]:
        """Its own flags, without those that every command takes."""
        return [p for p in self.params if p.param_type_name == "option" and not _is_shared(p)]

    @property
    def flags(self) -> frozenset[str]:
        return frozenset(
            name for p in self.params if p.param_type_name == "option" for name in (*p.opts, *p.secondary_opts)
        ) | {"-h", "--help"}


def _is_shared(param: Any) -> bool:
    return param.name in SHARED and param.help == SHARED[param.name][1].help


def commands() -> Iterator[Command]:
    """Everything that can be typed, in the order of the overview."""
    for noun, (module_name, _) in NOUNS.items():
        module = import_module(f"siems.cli.{module_name}")
        single = noun in getattr(module, "COMMANDS", ())
        yield from _of_app(module.app, () if single else (noun,), only=noun if single else "")


def _of_app(app: typer.Typer, path: tuple[str, ...], *, only: str = "") -> Iterator[Command]:
    for registered in app.registered_commands:
        assert registered.callback is not None
        name = registered.name or registered.callback.__name__
        if not only or name == only:
            yield _command((*path, name), registered.callback)
    if not only:
        for group in app.registered_groups:
            assert group.typer_instance is not None
            yield from _of_app(group.typer_instance, (*path, str(group.name)))


def _command(words: tuple[str, ...], callback: Callable[..., Any]) -> Command:
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(words[-1])(dressed(callback) if getattr(callback, "__leaf__", False) else callback)
    built = typer.main.get_command(alone)
    params = tuple(p for p in built.params if p.name != "help")
    return Command(words, inspect.cleandoc(callback.__doc__ or ""), params)


def cli() -> str:
    lines = [
        MADE + "# Commands", "",
        "`siems NOUN VERB [arguments] [flags]`. Flags may stand anywhere after the verb.",
        "Short names of nouns: " + ", ".join(f"`{short}` = `{long}`" for short, long in ALIASES.items()) + ".",
        "`siems --version` and `siems -V` print the version.", "",
        "## Flags of every command", "", *_flag_table([option for _, option in SHARED.values()], shared=True), "",
        "Every command also takes `-h` and `--help`.", "",
    ]  # fmt: skip
    known = list(commands())
    for noun, (_, meaning) in NOUNS.items():
        mine = [c for c in known if c.words[0] == noun]
        lines += [f"## {noun}", ""]
        lines += [] if mine[0].words == (noun,) else [_sentence(meaning), ""]
        for command in mine:
            if len(command.words) > 1:
                lines += [f"### {' '.join(command.words)}", ""]
            lines += _described(command)
    for topic in ("time", "environment"):
        lines += [f"## `siems help {topic}`", "", "```text", TOPICS[topic], "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def _described(command: Command) -> list[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    needed = [p for p in command.own if p.required]
    usage = " ".join([
        "siems", *command.words, *(f"{max(p.opts, key=len)} {_kind(p)}".rstrip() for p in needed),
        *(_placeholder(p) for p in arguments), *(["[flags]"] if len(command.own) > len(needed) else []),
    ])  # fmt: skip
    lines = ["```text", usage, "```", "", *_prose(command.help), ""]
    if arguments:
        lines += ["| argument | meaning |", "|---|---|"]
        lines += [f"| `{_placeholder(p)}` | {_cell(p.help or '')} |" for p in arguments]
        lines.append("")
    if command.own:
        lines += [*_flag_table(command.own), ""]
    return lines


def _prose(text: str) -> list[str]:
    """A docstring as paragraphs; what it shows to type becomes code."""
    out: list[str] = []
    for part in text.split("\n\n"):
        said, colon, example = part.partition(": siems ")
        if part.lstrip().startswith("siems "):
            out += ["```sh", *(line.strip() for line in part.splitlines()), "```", ""]
        elif colon:
            out += [_sentence(" ".join(said.split())), "", "```sh", f"siems {example.strip()}", "```", ""]
        else:
            out += [_cell(" ".join(part.split())), ""]
    return out[:-1]


def _flag_table(options: list[Any], *, shared: bool = False) -> list[str]:
    lines = ["| flag | takes | meaning |", "|---|---|---|"]
    for option in options:
        if shared:
            names, takes = option.param_decls, "" if isinstance(option.default, bool) else "text"
            meaning = option.help + (f" (or `{option.envvar}`)" if option.envvar else "")
            default = option.default
        else:
            names, takes, default = [*option.opts, *option.secondary_opts], _kind(option), option.default
            meaning = option.help or ""
            if option.multiple:
                takes, default = f"{takes}, repeatable", None
        if default not in (None, "", False) and not callable(default) and default != ():
            meaning += f" (default `{default}`)"
        lines.append(f"| {', '.join(f'`{n}`' for n in names)} | {takes} | {_cell(meaning.strip())} |")
    return lines


def _kind(param: Any) -> str:
    if getattr(param, "is_flag", False):
        return ""
    name = param.type.name
    return {"text": "text", "str": "text", "integer": "number", "int": "number", "float": "number"}.get(name, name)


def _placeholder(param: Any) -> str:
    name = str(param.name).strip("_").upper()
    name = {"IDS": "ID"}.get(name, name) + ("..." if param.nargs == -1 else "")
    return name if param.required else f"[{name}]"


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return _cell(text if text.endswith((".", "?", "!")) else f"{text}.")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


# --- settings --------------------------------------------------------------------------------------------------


def settings() -> str:
    lines = [
        MADE + "# Settings", "",
        "Settings stand in `siems.toml`. Each one can also be given as a variable, which wins over the file. The file",
        "is the first that exists of: the one that `SIEMS_CONFIG` names, `./siems.toml`, `siems/siems.toml` in the",
        "configuration folder of the user (`~/.config`), `/etc/siems/siems.toml`. `siems config path` lists them.",
        "With `SIEMS_HOME` set, `./siems.toml` is not looked at and the folder is `$SIEMS_HOME/config`.", "",
        "An unknown key or variable is an error that names the nearest right one. `siems.toml.example` holds every",
        "key with its default. The daemon reads settings when it starts.", "",
    ]  # fmt: skip
    current = ""
    for section, name, default, meaning in config.keys():  # noqa: SIM118
        if section != current:
            current = section
            what = config.Settings.model_fields[section].description or ""
            lines += ["", f"## [{section}]", "", _sentence(what), ""]
            lines += ["| key | default | meaning | variable |", "|---|---|---|---|"]
        shown_default = str(default).lower() if isinstance(default, bool) else str(default)
        lines.append(
            f"| `{name}` | {f'`{_cell(shown_default)}`' if shown_default else 'empty'} |"
            f" {_cell(meaning)}{_limits(section, name)} | `{f'SIEMS_{section}_{name}'.upper()}` |"
        )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _limits(section: str, name: str) -> str:
    kind = config.Settings.model_fields[section].annotation
    assert kind is not None
    bounds = {type(m).__name__: m for m in kind.model_fields[name].metadata}
    low, high = getattr(bounds.get("Ge"), "ge", None), getattr(bounds.get("Le"), "le", None)
    if low is not None and high is not None:
        return f" ({low} to {high})"
    return f" (at least {low})" if low is not None else ""


# --- HTTP ------------------------------------------------------------------------------------------------------
ANSWERS = ADVICE | CORE | GROUPS | MESSAGES | ONCALL | PEOPLE | RUNS
"""Handler → (what it does, what it answers). A route that is missing here stops the script."""


def http() -> str:
    lines = [
        MADE + "# HTTP API", "",
        "JSON under `/api/v1`. Every request carries `Authorization: Bearer TOKEN`: the access token of",
        "`POST /api/v1/auth/login`, or the token that `siems init` wrote for this machine.", "",
        "- Every answer has `X-Request-Id` and `X-Server-Time`. Times are RFC 3339 in UTC.",
        "- Errors are `application/problem+json` of the shape [Problem](shapes.md#problem); `code` is one of",
        "  [these](exit-codes.md#errors), `hint` says what to do.",
        "- `POST` and `PATCH` take `?dry_run=true`: the answer that would have come, and nothing is changed.",
        "- `POST` and `PATCH` take `Idempotency-Key` (at most 200 characters): the same key and body of the same",
        "  caller within 24 hours give the first answer again; another body is a 422. Answers with secrets are not",
        "  kept, so routes that answer with one do not look at the key.",
        "- `If-Match` with the `version` of an incident makes an action a 409 when somebody was faster.",
        "- Pages have `items`, `next` (the `cursor` of the following page), `total` and `as_of`. Other lists have",
        "  `items` only.",
        "- `{ref}` takes `INC-42` or `42`, `ALR-7` or `7`, `comp-acme`, `acme` or the company's name, the id of an",
        "  integration, the name of a tool.", "",
        "## Routes", "",
        "| method | path | query | takes | answers | what |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for method, path, handler in ROUTES:
        what, said = ANSWERS[handler.__name__]
        asked, words = _asked(handler)
        shown_words = ", ".join(f"`{word}`" for word in words)
        lines.append(f"| {method} | `{path}` | {shown_words} | {_linked(asked)} | {_linked(said)} | {what} |")
    lines += [
        "", "## Without a token", "",
        "| method | path | takes | answers | what |", "|---|---|---|---|---|",
        f"| POST | `/api/webhooks/alerts` | [an alert](../guides/onboarding-a-client.md) | {_linked('AlertAccepted')},"
        f" {_linked('AlertsAccepted')} | stores alerts; needs a key, not a token |",
        f"| POST | `/api/webhooks/{{source}}`, `/api/webhooks/{{source}}/api/v2/alerts` | the tool's own body |"
        f" {_linked('AlertsAccepted')} |"
        " the names of [the tools](tools.md) |",
        "| GET, POST, PUT, HEAD | `/api/heartbeats/{token}` | | `OK` | a [heartbeat](../guides/heartbeats.md); also"
        " `/start`, `/fail` and an exit status behind it |",
        "| POST | `/v2/enqueue`, `/v2/change/enqueue`, `/generic/2010-04-15/create_event.json` |"
        " PagerDuty's events | PagerDuty's answers |"
        " [switching](../guides/switching.md) |",
        "| POST | `/integration/{key}/enqueue` | PagerDuty's events, or the body of the tool that the key is made for |"
        " PagerDuty's answers | [switching](../guides/switching.md) |",
        "| all | `/v2/alerts`, `/v2/heartbeats` and below | Opsgenie's requests | Opsgenie's answers |"
        " [switching](../guides/switching.md) |",
        "| GET, POST | `/a/{token}` | a form | a page | the link of a message:"
        " [answering](../guides/answering.md) |",
        "| POST | `/api/twilio/sms`, `/api/twilio/keys` | Twilio's forms, signed by it | TwiML | answers by text"
        " message and by key |",
        "| POST | `/api/aws/sms` | a message of the topic in `[sms]`, signed by Amazon | | answers by text message |",
        "| POST | `/api/slack/actions` | Slack's `payload`, signed by it | | buttons of messages |",
        f"| POST | `/api/v1/auth/login` | {_linked('LoginAsk')} | {_linked('TokenPair')} | begin a session |",
        f"| POST | `/api/v1/auth/refresh` | {_linked('RefreshAsk')} | {_linked('TokenPair')} | a new pair; a token is"
        " used once |",
        f"| POST | `/api/v1/auth/logout` | {_linked('RefreshAsk')} | `changed` | end a session |",
        "| GET | `/api/v1/openapi.json` | | OpenAPI 3.1 | this page for programs |",
        "| GET | `/livez` | | `ok` | whether the process works; never asks the database |",
        "| GET | `/readyz` | | `ok` | whether it takes alerts; 503 while it stops |",
        "| GET | `/metrics` | | OpenMetrics | figures, see [metrics](../guides/metrics.md) |", "",
        "## Live stream", "",
        "`GET /api/v1/events` (server-sent events) and `GET /api/v1/ws` (WebSocket): see"
        " [the live stream](../guides/live-stream.md).",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _asked(handler: Callable[..., Any]) -> tuple[str, list[str]]:
    """(the shape of the body, the words of the query) that a route reads, as its code says."""
    code = inspect.getsource(handler)
    body = re.search(r"call\.body\((?:wire\.)?(\w+)\)", code)
    words = [w for w in re.findall(r'call\.word\("(\w+)"', code) if w != "dry_run"]
    if "call.limit()" in code:
        words.append("limit")
    asked = body[1] if body else ""
    return asked if asked in SHAPES or not asked else "`ids`", words


def _linked(text: str) -> str:
    """Names of shapes become links."""
    return re.sub(r"\b[A-Z]\w+\b", lambda m: f"[{m[0]}](shapes.md#{m[0].lower()})" if m[0] in SHAPES else m[0], text)


# --- shapes ----------------------------------------------------------------------------------------------------

SHAPES: dict[str, type] = {
    name: kind
    for name, kind in vars(wire).items()
    if isinstance(kind, type) and issubclass(kind, (wire.Wire, wire.Ask)) and name not in ("Wire", "Ask")
}


def shapes() -> str:
    lines = [
        MADE + "# JSON shapes", "",
        "`siems schema NAME` prints the JSON Schema of each. Shapes whose name ends with `Ask` or `Edit` are received:",
        "a field that they do not know is refused. All others are sent: fields may be added to them, so readers ignore",
        "what they do not know. Names and meanings do not change within version 1 of the API.", "",
    ]  # fmt: skip
    for name, kind in SHAPES.items():
        said = inspect.cleandoc(vars(kind).get("__doc__") or "")
        lines += [f"## {name}", ""]
        if said:
            lines += [_cell(" ".join(said.split())), ""]
        lines += ["| field | type | default |", "|---|---|---|"]
        for field in msgspec.structs.fields(kind):
            given = "" if field.required else f"`{_json_default(field)}`"
            lines.append(f"| `{field.encode_name}` | {_linked(_type(field.type))} | {given} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _json_default(field: Any) -> str:
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return msgspec.json.encode(value).decode()


def _type(kind: Any) -> str:
    names = {str: "text", int: "integer", float: "number", bool: "true or false", datetime: "time", type(None): "null"}
    if kind in names:
        return names[kind]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(one) for one in inner)
    if origin is list:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"object of {_type(inner[1])}" if inner[1] is not Any else "object"
    return "anything" if kind is Any else getattr(kind, "__name__", str(kind))


# --- who may do what, exit codes, queries, words, keys ---------------------------------------------------------


def permissions() -> str:
    lines = [
        MADE + "# Permissions", "",
        "Everyone but admins has a scope: the companies they may see. Outside of it nothing exists for them: the",
        "answer is 404 (exit 3), the same as for what is not there. Inside of it a missing permission is 403 (exit 5).",
        "",
        f"| permission | {' | '.join(role.value for role in Role)} |", "|---|" + "---|" * len(Role),
    ]  # fmt: skip
    for permission in Permission:
        cells = ["yes" if role in ALLOWED[permission] else "" for role in Role]
        lines.append(f"| {permission.value} | {' | '.join(cells)} |")
    lines += ["", "`engineer` is taken for `technician`. See [users and access](../guides/users-and-access.md)."]
    return "\n".join(lines) + "\n"


def exit_codes() -> str:
    lines = [
        MADE + "# Exit codes and errors", "", "```text", TOPICS["exit-codes"], "```", "",
        "A closed pipe (`siems incident list | head`) is 0. With `--json`, an error is one object on standard error:",
        "",
        "```json",
        '{"error": {"code": "conflict", "exit": 6, "message": "...", "hint": "...", "request_id": "..."}}',
        "```", "", "## Errors", "",
        "| code | exit | HTTP | trying again can help |", "|---|---|---|---|",
    ]  # fmt: skip
    lines += [
        f"| `{kind.code}` | {kind.exit} | {kind.status} | {'yes' if kind.retryable else ''} |"
        for kind in errors.BY_CODE.values()
    ]
    return "\n".join(lines) + "\n"


def query() -> str:
    lines = [
        MADE + "# Queries", "",
        "One language for `--query`, for `/` on the board and for `?query=` of the API. A query has at most"
        f" {grammar.MAX_QUERY} characters and {grammar.MAX_TERMS} terms.", "",
        "```text", TOPICS["query"], "```", "",
    ]  # fmt: skip
    known = {"incidents": filters._INCIDENT, "alerts": filters._ALERT, "assets": asset_queries.FIELDS}
    for title, fields in known.items():
        lines += [f"## Fields of {title}", "", ", ".join(f"`{name}`" for name in fields if name), ""]
    return "\n".join(lines).rstrip() + "\n"


def severities() -> str:
    lines = [
        MADE + "# Words for severities", "",
        "What a tool calls a severity becomes one of four. Case does not matter. Any other word, and no word, becomes",
        "`MEDIUM`, and the answer says so in `warnings`.", "",
        "| severity | words |", "|---|---|",
    ]  # fmt: skip
    for severity in sorted(Severity, reverse=True):
        words = [word for word, found in SEVERITY_WORDS.items() if found is severity]
        lines.append(f"| `{severity.name}` | {', '.join(words)} |")
    return "\n".join(lines) + "\n"


def keys() -> str:
    lines = [
        MADE + "# Keys of the terminal interface", "",
        "`?` shows them in the program. `keys.toml` in the configuration folder changes them: `ack = \"x\"`, by the",
        "name in the last column. What is taken or reserved is left out, and siems tui says so.", "",
        "| key | does | where | asks first | same as | name |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for deed in DEEDS:
        pressed = " ".join(f"`{shown(key)}`" for key in deed.keys) or "(only by `:`)"
        where = "everywhere" if set(deed.where) == set(Where) else ", ".join(deed.where)
        same = f"`{deed.cli.format(ids='ID', to='NAME', flags='...', note='TEXT')}`" if deed.cli else ""
        asks = "yes" if deed.level is Level.CONFIRM else ""
        title = re.sub(r"\s*\(asks\)|\.\.\.", "", deed.title)
        lines.append(f"| {pressed} | {title} | {where} | {asks} | {same} | `{deed.id}` |")
    return "\n".join(lines) + "\n"


PAGES: dict[str, tuple[str, Callable[[], str]]] = {
    "cli.md": ("every command and flag", cli),
    "settings.md": ("every setting with its default", settings),
    "http-api.md": ("every route", http),
    "shapes.md": ("every JSON shape", shapes),
    "query.md": ("the query language and its fields", query),
    "permissions.md": ("who may do what", permissions),
    "exit-codes.md": ("exit codes and errors", exit_codes),
    "tools.md": ("every tool that siems understands", lambda: MADE + tools()),
    "severities.md": ("the words of tools for how bad a thing is", severities),
    "keys.md": ("the keys of the terminal interface", keys),
}


def index() -> str:
    lines = [
        MADE + "# Reference",
        "",
        "Made from the code by `scripts/reference.py`; a test says when it is out of date.",
    ]
    return "\n".join([*lines, "", *(f"- [{name}]({name}): {what}" for name, (what, _) in PAGES.items())]) + "\n"


def files() -> dict[Path, str]:
    """Every file that is made, with what belongs in it."""
    folder = ROOT / "docs" / "reference"
    made = {folder / name: make() for name, (_, make) in PAGES.items()}
    served = ROOT / "src" / "siems" / "daemon" / "http" / "openapi.json"
    made |= {folder / "README.md": index(), served: openapi(ROUTES, _asked, ANSWERS, SHAPES)}
    return {**made, ROOT / "siems.toml.example": config.example()}


def main() -> int:
    stale = [path for path, text in files().items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"out of date: {path.relative_to(ROOT)}; run  python scripts/reference.py", file=sys.stderr)
        return 1 if stale else 0
    made = files()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path])
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
