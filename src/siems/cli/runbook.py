"""`siems runbook`: what may be done to hosts, as texts that people read, write and approve."""

from __future__ import annotations

from typing import Annotated

import typer

from siems import errors
from siems.cli.context import Door, leaf, new_app
from siems.cli.runbook_card import card, next_steps, whose
from siems.cli.runbook_content import Company, Name, approve_content, diff, line
from siems.cli.runbook_run import hang
from siems.cli.show import Column, Item, field, show_list, show_one, when

app = new_app("Runbooks: list, show, new, edit, validate, diff, approve-content, delete.")

FromFile = Annotated[str, typer.Option("--from-file", metavar="F|-", help="the text in YAML; - is stdin")]

COLUMNS = (
    field("NAME", "name", grows=True),
    Column("RISK", lambda r: r["risk"], lambda r: _risk(r)),
    field("CATEGORY", "category", drop=2),
    Column("PLATFORMS", lambda r: ",".join(r["platforms"]), drop=3),
    Column("FROM", lambda r: r["company_id"] if r["origin"] == "company" else r["origin"]),
    field("TITLE", "title", grows=True, drop=1),
    field("VERSION", "version", wide=True),
    field("AUTHOR", "author_name", wide=True),
    when("CHANGED", "changed_at", wide=True),
    Column("APPROVED", lambda r: r["approved"], wide=True),
)


def _risk(r: Item) -> str:
    return str(r["risk"]) if r["approved"] else f"{r['risk']} (content not approved)"


@app.command("list")
@leaf
def list_(
    door: Door,
    company: Annotated[str, typer.Option("--company", help="what acme may use; else all that you may see")] = "",
    category: Annotated[str, typer.Option("--category", help="cpu, memory, disk, network, database ...")] = "",
    incident: Annotated[str, typer.Option("--incident", help="what matches INC-12, the best first")] = "",
) -> None:
    """The runbooks that there are, with what risk they count: siems runbook list --incident INC-12"""
    if incident:
        if company or category:
            raise errors.UsageError(
                "an incident says all of that itself", hint=f"siems runbook list --incident {incident}"
            )
        show_list(door, door.client.suggested_runbooks(incident), SUGGESTED, id="name")
        return
    items = door.client.runbooks(company=company)
    show_list(door, [r for r in items if category in ("", r["category"])], COLUMNS)


SUGGESTED = (
    field("NAME", "name", grows=True),
    Column("RISK", lambda r: r["risk"], lambda r: _risk(r)),
    field("FIXED", "fixed"),
    field("WHY", "why", grows=True),
    field("TITLE", "title", grows=True, drop=1),
)


@app.command()
@leaf
def show(
    door: Door,
    name: Name,
    company: Company = "",
    text: Annotated[bool, typer.Option("--text", help="only its text, as it was written")] = False,
    version: Annotated[str, typer.Option("--version", help="its text in version 3, or library")] = "",
) -> None:
    """One runbook: what it does, what it takes, and its scripts.

    siems runbook show restart-service --text > restart-service.yaml
    """
    if text or version:
        found = door.client.runbook_text(name, company=company, version=version)
        if door.json:
            show_one(door, found, lambda _: [], id="name")
        else:
            print(found["text"], end="")  # the daemon takes no text with what a terminal would act on
        return
    show_one(door, door.client.runbook(name, company=company), card)


# --- writing -----------------------------------------------------------------------------------------------------


@app.command()
@leaf
def new(
    door: Door,
    name: Name,
    company: Company = "",
    template: Annotated[
        str, typer.Option("--template", help="begin with ssh, powershell, look, or a runbook that there is")
    ] = "ssh",
    from_file: FromFile = "",
    printed: Annotated[bool, typer.Option("--print", help="only print what it would begin with")] = False,
) -> None:
    """A runbook of a client's own; in your $EDITOR, or from a file. It counts as HIGH until its content is approved.

    siems runbook new vpn-bounce --company acme --template restart-service
    siems runbook new vpn-bounce --print > vpn-bounce.yaml
    siems runbook new vpn-bounce --company acme --from-file vpn-bounce.yaml
    """
    if printed:
        print(_beginning(door, name, template, company), end="")
        return
    owner = _owner(door, company)
    text = _given(from_file, name) if from_file else _edited(door, _beginning(door, name, template, owner), new=True)
    made = door.client.create_runbook(
        idempotency_key=door.idempotency_key, company=owner, text=text, reason=door.reason
    )
    show_one(door, made, lambda r: [line(door, r, "made"), *next_steps(r)])


@app.command()
@leaf
def edit(door: Door, name: Name, company: Company = "", from_file: FromFile = "") -> None:
    """Change a runbook: from then on it counts as HIGH, until an admin approves the new content.

    One that ships becomes the client's own by this; the others keep theirs.

    siems runbook edit restart-service --company acme
    siems runbook show vpn-bounce --text | sed s/30s/60s/ | siems runbook edit vpn-bounce --company acme --from-file -
    """
    owner = _owner(door, company)
    found = door.client.runbook(name, company=owner)
    mine = found["version"] if found["company_id"].removeprefix("comp-") == owner.removeprefix("comp-") else 0
    text = _given(from_file, name) if from_file else _edited(door, found["text"])
    done = door.client.edit_runbook(
        found["name"], company=owner, text=text, version=mine if found["origin"] != "library" else 0,
        reason=door.reason,
    )  # fmt: skip
    said = "changed" if done["changed"] else "already so, nothing changed"
    show_one(door, {**done["runbook"], "changed": done["changed"]}, lambda r: [line(door, r, said), *next_steps(r)])


def _owner(door: Door, named: str) -> str:
    from siems.cli.silence import company_of

    return company_of(door, named)


def _beginning(door: Door, name: str, template: str, company: str) -> str:
    from siems import library
    from siems.domain.runbook_text import NAME

    if not NAME.fullmatch(name):
        raise errors.UsageError(f"{name!r} is no name for a runbook", hint="small letters, digits and -: restart-vpn")
    if template in library.SKELETONS:
        return library.skeleton(template, name)
    ships = library.text_of(template)
    if ships is not None and not company:
        return library.named(ships, name)
    return library.named(str(door.client.runbook(template, company=company)["text"]), name)


def _given(source: str, name: str) -> str:
    """The text of a file, told where it is wrong before the daemon sees it. Raises InvalidField."""
    from siems.cli.runbook_files import checked, failed, text_of, told

    text = text_of(source)
    problems = checked("standard input" if source == "-" else source, text)
    if failed(problems):
        wrong = [p for p in problems if p["severity"] == "error"]
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise errors.InvalidField(f"{told(wrong[0])}{more}", hint=f"siems runbook validate {source}")
    return text


def _edited(door: Door, before: str, *, new: bool = False) -> str:
    """The text as somebody leaves it in their editor; where it is wrong they are told, and may go on."""
    if not door.interactive:
        raise errors.UsageError("the text is missing", hint="add  --from-file F  or  --from-file -")
    from siems.cli.editor import edited
    from siems.cli.runbook_files import checked, failed, told

    text, kept = before, None
    while True:
        kept = edited(text, suffix=".yaml")
        if kept is None and text == before:
            door.note("nothing was changed")
            raise typer.Exit(130)
        text = text if kept is None else kept
        problems = checked("line", text)
        for problem in problems:
            door.note(told(problem))
        if not failed(problems):
            return text
        if not typer.confirm("edit it again?", default=True, err=True):
            door.note("nothing was changed")
            raise typer.Exit(130)


@app.command()
@leaf
def validate(
    door: Door,
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE...", help="files, folders, or - for stdin")] = None,
    everything: Annotated[bool, typer.Option("--all", help="what ships, and all that your clients have")] = False,
) -> int:
    """What is wrong with runbooks, each with file:line:column; no daemon is needed, and nothing is run.

    siems runbook validate runbooks/*.yaml
    siems runbook validate --all --json
    """
    from siems.cli.runbook_files import PROBLEMS, checked, failed, texts, told

    if bool(files) == everything:
        raise errors.UsageError("validate what?", hint="siems runbook validate FILE..., or --all")
    named = list(_all(door) if everything else texts(files or []))
    problems = [problem for file, text in named for problem in checked(file, text)]
    if door.json or door.format in ("csv", "name") or door.fields:
        show_list(door, problems, PROBLEMS)
    else:
        for problem in problems:
            print(told(problem))
        wrong = sum(p["severity"] == "error" for p in problems)
        door.note(f"{len(named)} read, {wrong} error{'' if wrong == 1 else 's'}, {len(problems) - wrong} warnings")
    return 9 if failed(problems) else 0


def _all(door: Door) -> list[tuple[str, str]]:
    """(name, text) of what ships; and of what people wrote, where a daemon can be asked."""
    from siems import library

    found = [(f"library/{name}.yaml", library.text_of(name) or "") for name in library.names()]
    try:
        written = [r for r in door.client.runbooks() if r["origin"] != "library"]
        for r in written:
            owner = r["company_id"].removeprefix("comp-")
            found.append((f"{owner}/{r['name']}", door.client.runbook_text(r["name"], company=owner)["text"]))
    except (errors.Unavailable, errors.NotAuthenticated) as why:
        door.note(f"only what ships: {why.message}")
    return found


@app.command()
@leaf
def delete(door: Door, name: Name, company: Company = "") -> None:
    """Remove a runbook that somebody wrote; its versions stay for the record: siems runbook delete vpn-bounce --yes"""
    found = door.client.runbook(name, company=company)
    if found["origin"] == "library":
        raise errors.Conflict(f"{name} ships with siems, it cannot be deleted", hint="siems runbook list")
    left = "; the one that it hides is used again" if found["hides"] else ""
    door.ask(f"delete the runbook {found['name']} {whose(found)}{left}?", flag="--yes")
    done = door.client.delete_runbook(found["name"], company=found["company_id"], reason=door.reason)
    again = " (dry run, nothing is written)" if door.dry_run else ""
    show_one(door, done, lambda d: [f"{d['id']}: deleted{again}"])


app.command("diff")(diff)
app.command("approve-content")(approve_content)


# --- running: the commands of cli/runbook_run.py are hung onto this noun here ------------------------------------

hang(app)
