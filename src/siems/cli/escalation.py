"""`siems escalation`: who is woken, in which order, when nobody answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.show import Column, Item, at, field, show_list, show_one

app = new_app("Escalation: policy list, show, create, edit, delete, test.")
policy = new_app("Escalation policies: chains of steps, each with whom it pages and how long it waits.")
app.add_typer(policy, name="policy")

Name = Annotated[str, typer.Argument(metavar="NAME", help="its name or id: default, pol-default")]
Company = Annotated[str, typer.Option("--company", help="acme; else of the MSP, for every client")]
FromFile = Annotated[str, typer.Option("--from-file", metavar="F|-", help="a document in YAML or JSON; - is stdin")]
Steps = Annotated[
    list[str] | None,
    typer.Option("--step", help="in order: 'owner 15m', 'role:manager,schedule:night CRITICAL=5m,HIGH=15m'"),
]  # fmt: skip
Repeat = Annotated[int | None, typer.Option("--repeat", help="how often the chain begins again: 0 to 5")]
Reassign = Annotated[bool | None, typer.Option("--reassign/--no-reassign", help="whoever is paged takes over")]
Hours = Annotated[
    bool | None, typer.Option("--opening-hours/--no-opening-hours", help="below CRITICAL waits for opening hours")
]  # fmt: skip

COLUMNS = (
    field("ID", "id"),
    field("NAME", "name", grows=True),
    field("COMPANY", "company_id"),
    Column("STEPS", lambda p: len(p["policy"]["steps"])),
    Column("CHAIN", lambda p: " > ".join(",".join(step["targets"]) for step in p["policy"]["steps"]), grows=True),
    Column("REPEAT", lambda p: p["policy"]["repeat"], drop=2),
    Column("USED_BY", lambda p: len(p["companies"]), drop=1),
    field("VERSION", "version", wide=True),
)
TRIAL = (
    Column("AFTER", lambda s: s["after"]),
    Column("AT", lambda s: s["at"]),
    Column("LEVEL", lambda s: s["level"]),
    Column("WHAT", lambda s: s["kind"]),
    Column("WHO", lambda s: s["who"], grows=True),
    Column("WHY", lambda s: s["text"], grows=True, drop=1),
)


@policy.command("list")
@leaf
def list_(door: Door, company: Annotated[str, typer.Option("--company", help="what acme may use")] = "") -> None:
    """The policies of the MSP, and those of your companies: siems escalation policy list --company acme"""
    show_list(door, door.client.policies(company=company), COLUMNS)


@policy.command()
@leaf
def show(
    door: Door,
    name: Name,
    document: Annotated[bool, typer.Option("--document", help="as the YAML that create and edit take")] = False,
) -> None:
    """One policy, step by step.

    siems escalation policy show default --document > night.yaml
    """
    found = door.client.policy(name)
    if document:
        print(_document(found["policy"]), end="")
        return
    show_one(door, found, _card)


def _card(p: Item) -> list[str]:
    from siems.present import safe

    body = p["policy"]
    owner = "of the MSP" if p["company_id"] == "msp" else f"of {p['company_id']}"
    used = ", ".join(p["companies"]) or "no company"
    lines = [f"{safe(p['name'])} ({p['id']})   {owner}, version {p['version']}, used by {safe(used)}"]
    for level, step in enumerate(body["steps"], 1):
        lines.append(f"  {level}  {safe(', '.join(step['targets']))}{_waits(step.get('wait'))}{_remarks(step)}")
    lines.append(f"repeat {body['repeat']}, {'reassigns' if body['reassign'] else 'does not reassign'}")
    if body["opening_hours"]:
        lines.append("below CRITICAL the waits are over in opening hours only")
    asked = ", ".join(f"{word} {span}" for word, span in body["ack_timeout"].items())
    lines.append(f"still on it? is asked after {asked}" if asked else "nobody is asked whether they are still on it")
    told = [f"{word} {_params(params)}".strip() for word, params in body["strategies"].items()]
    lines.append(f"advanced by {', '.join([*told, 'a person'])}")
    return lines


def _params(params: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in params.items())


def _waits(waits: dict[str, str] | None) -> str:
    if not waits:
        return "   waits for nobody"
    if len(waits) == 4 and len(set(waits.values())) == 1:
        return f"   waits {next(iter(waits.values()))}"
    return "   waits " + ", ".join(f"{word} {span}" for word, span in waits.items())


def _remarks(step: Item) -> str:
    from siems.present import safe

    said = "" if step.get("important", True) else "   wakes nobody"
    when = step.get("when")
    return said + (f"   only if {safe(', '.join(f'{k} {v}' for k, v in when.items()))}" if when else "")


# --- changing ----------------------------------------------------------------------------------------------------


@policy.command()
@leaf
def create(
    door: Door,
    name: Annotated[str, typer.Argument(metavar="NAME", help="a name for it")],
    from_file: FromFile = "",
    steps: Steps = None,
    repeat: Repeat = None,
    reassign: Reassign = None,
    opening_hours: Hours = None,
    company: Company = "msp",
) -> None:
    """A new policy, by flags or from a document. A company uses it once it names it.

    siems escalation policy create night --step 'oncall 5m' --step 'role:manager 15m' --step role:admin
    siems escalation policy create night --from-file night.yaml --company acme
    siems company edit acme --policy night
    """
    document = _given(from_file, steps, repeat, reassign, opening_hours)
    if "steps" not in document:
        raise errors.UsageError(
            "a policy needs steps", hint=f"siems escalation policy create {name} --step 'owner 15m' --step role:admin"
        )
    made = door.client.create_policy(
        idempotency_key=door.idempotency_key, name=name, policy=document, company=company, reason=door.reason
    )
    again = " (dry run, nothing is written)" if door.dry_run else ""
    show_one(door, made, lambda p: [*_card(p), f"made{again}; to use it:  siems company edit NAME --policy {p['id']}"])


@policy.command()
@leaf
def edit(
    door: Door,
    name: Name,
    from_file: FromFile = "",
    steps: Steps = None,
    repeat: Repeat = None,
    reassign: Reassign = None,
    opening_hours: Hours = None,
    rename: Annotated[str, typer.Option("--name", help="another name")] = "",
) -> None:
    """Change a policy for the incidents that open from now on; without flags in your $EDITOR.

    siems escalation policy edit night --repeat 3
    siems escalation policy show night --document | sed s/15m/10m/ | siems escalation policy edit night --from-file -
    """
    found = door.client.policy(name)
    given = _given(from_file, steps, repeat, reassign, opening_hours)
    if not given and not rename:
        given = _edited(door, found)
    document = given if from_file else found["policy"] | given
    done = door.client.edit_policy(
        found["id"], name=rename or None, policy=document, version=found["version"], reason=door.reason
    )
    said = "from now on, for incidents that open" if done["changed"] else "already so, nothing changed"
    again = " (dry run, nothing is written)" if door.dry_run and done["changed"] else ""
    show_one(door, {**done["policy"], "changed": done["changed"]}, lambda p: [*_card(p), f"{said}{again}"])


def _given(
    from_file: str, steps: list[str] | None, repeat: int | None, reassign: bool | None, opening_hours: bool | None
) -> dict[str, Any]:
    """The document as file and flags say. Raises UsageError."""
    found = _read(from_file) if from_file else {}
    if steps:
        found["steps"] = [_step(text) for text in steps]
    flags = {"repeat": repeat, "reassign": reassign, "opening_hours": opening_hours}
    return found | {key: value for key, value in flags.items() if value is not None}


def _read(source: str) -> dict[str, Any]:
    if source == "-":
        return _parsed(sys.stdin.read(), "standard input")
    try:
        with open(source, encoding="utf-8") as handle:
            return _parsed(handle.read(), source)
    except (OSError, UnicodeDecodeError) as why:
        reason = getattr(why, "strerror", None) or "it is no text"
        raise errors.UsageError(f"{source} cannot be read: {reason}", hint="--from-file night.yaml") from why


def _parsed(text: str, source: str) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as why:
        where = getattr(why, "problem_mark", None)
        line = f" line {where.line + 1}, column {where.column + 1}:" if where is not None else ""
        problem = getattr(why, "problem", None) or "it is no YAML"
        raise errors.UsageError(
            f"{source}:{line} {problem}", hint="siems escalation policy show default --document"
        ) from why
    if not isinstance(found, dict):
        raise errors.UsageError(f"{source} is no policy", hint="siems escalation policy show default --document")
    return {str(key): value for key, value in found.items() if key != "name"}


def _step(text: str) -> dict[str, Any]:
    """`role:manager,user:jon CRITICAL=5m,HIGH=15m` as a step of a document."""
    words = text.split()
    if not 1 <= len(words) <= 2:
        raise errors.UsageError(f"--step {text!r}: whom, and how long?", hint="--step 'role:manager 15m'")
    found: dict[str, Any] = {"targets": words[0].split(",")}
    if len(words) == 2:
        pairs = [part.partition("=") for part in words[1].split(",")]
        found["wait"] = {key: value for key, _, value in pairs} if "=" in words[1] else words[1]
    return found


def _document(body: Item) -> str:
    import yaml

    return str(yaml.safe_dump(body, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100))


def _edited(door: Door, found: Item) -> dict[str, Any]:
    """The document as somebody leaves it in their editor. Raises UsageError where nobody is there to edit."""
    if not door.interactive:
        raise errors.UsageError("edit what?", hint="add  --from-file F, --step, --repeat  or  --name")
    from siems.cli.editor import edited

    text = edited(_document(found["policy"]), suffix=".yaml")
    if text is None:
        door.note("nothing was changed")
        raise typer.Exit(130)
    return _parsed(text, "what you wrote")


@policy.command()
@leaf
def delete(door: Door, name: Name) -> None:
    """Remove a policy that no company uses: siems escalation policy delete night --yes"""
    found = door.client.policy(name)
    door.ask(f"delete the policy {found['name']} ({found['id']})?", flag="--yes")
    done = door.client.delete_policy(found["id"], reason=door.reason)
    again = " (dry run, nothing is written)" if door.dry_run else ""
    show_one(door, done, lambda d: [f"{d['id']}: deleted{again}"])


# --- trying ------------------------------------------------------------------------------------------------------


@policy.command("test")
@leaf
def try_(
    door: Door,
    name: Name,
    when: Annotated[str, typer.Option("--at", help="it opens then: '03:00', 'sat 03:00', 2026-03-14T03:00Z")] = "",
    severity: Annotated[str, typer.Option("--severity", help="CRITICAL, HIGH, MEDIUM or LOW")] = "CRITICAL",
    company: Annotated[str, typer.Option("--company", help="for acme; else the first that uses it")] = "",
    assignee: Annotated[str, typer.Option("--assignee", help="as if jon had it")] = "",
    from_file: Annotated[str, typer.Option("--from-file", metavar="F|-", help="as it would be by this document")] = "",
) -> None:
    """Who would be paged, when, if nobody did anything; nobody is told.

    siems escalation policy test default --at 'sat 03:00' --severity HIGH --company acme
    siems escalation policy test default --from-file changed.yaml
    """
    from siems.clock import rfc3339
    from siems.moments import moment

    opens = rfc3339(moment(when)) if when else None
    if from_file:
        if assignee:
            raise errors.UsageError("--assignee is for a policy that is kept", hint="leave it out, or --from-file")
        document = _read(from_file)
        try:
            ref = str(door.client.policy(name)["id"])
        except errors.NotFound:
            ref = ""  # one that is not made yet
        found = door.client.preview_policy(
            ref=ref, policy=document, name=name, at=opens, severity=severity, company=company or None,
            owner=None if ref else company or None,
        )  # fmt: skip
    else:
        found = door.client.try_policy(name, at=opens, severity=severity, company=company, assignee=assignee)
    if door.json:
        show_one(door, found, lambda _: [])
        return
    door.note(
        f"{found['name']} for {found['company_id']}: {found['severity']}, opens at {at(found['opened_at'])},"
        " and nobody does anything"
    )
    show_list(door, [_told(found, step) for step in found["steps"]], TRIAL, id="at")


def _told(found: Item, step: Item) -> Item:
    from siems.present import duration, instant

    passed = (instant(step["at"]) - instant(found["opened_at"])).total_seconds()
    people: Sequence[str] = [*step["people"], *(f"({name}: inbox)" for name in step["inbox"]), *step["webhooks"]]
    who = ", ".join(people)
    if step["kind"] == "page" and not step["important"]:
        who += " (wakes nobody)"
    return {**step, "after": f"+{duration(passed)}" if passed else "0", "who": who or ", ".join(step["targets"])}
