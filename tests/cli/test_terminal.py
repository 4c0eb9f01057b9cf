"""On a terminal: tables that fit, relative times, colours, prompts, ctrl+c."""

from __future__ import annotations

import select
import signal

import pytest

from house import PASSWORD, Client, House, bare, until
from siems.cli.table import Column, draw
from siems.present import cell_width

HOSTILE = "\x1b]0;owned\x07[/bold] \u202etxt \x9b1m 漢字 "


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("command", ["incident list", "alert list", "audit list", "company list", "user list"])
def test_tables_fit_the_terminal_and_keep_ids_whole(house: House, known: Client, command: str, columns: int) -> None:
    answer = known.alert(signature=HOSTILE * 4, asset=HOSTILE, message=HOSTILE * 20, severity="critical")
    whose = ["--company", known.slug] if command == "incident list" else []  # others have filled the first page
    ran = house.terminal(*command.split(), *whose, columns=columns)
    shown = bare(ran.out)
    assert ran.code == 0
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert max(cell_width(line) for line in shown.splitlines()) <= columns or columns == 40
    if command == "incident list":
        assert f"  {answer['incident_id']}  " in shown
    if command == "alert list":
        assert "now" in shown or "s ago" in shown


def test_what_is_cut_says_so_and_columns_leave_by_their_rank() -> None:
    columns = [
        Column("ID", lambda i: i["id"]),
        Column("TITLE", lambda i: i["title"], grows=True),
        Column("WHO", lambda i: i["who"], drop=1),
    ]
    items = [{"id": "INC-1", "title": "t" * 50, "who": "dana"}]
    assert draw(items, columns, width=40, color=False, whole=False) == [
        f"ID     {'TITLE':<27}  WHO",
        f"INC-1  {'t' * 26}~  dana",
    ]
    assert draw(items, columns, width=20, color=False, whole=False)[1] == f"INC-1  {'t' * 12}~"
    assert draw(items, columns, width=20, color=False, whole=True)[0].endswith("WHO")


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_are_left_out_where_nobody_wants_them(house: House, known: Client, env: dict[str, str]) -> None:
    assert "\x1b" not in house.terminal("incident", "list", env=env).out
    assert "\x1b[1m" in house.terminal("incident", "list").out


def test_a_long_list_ends_with_how_many_there_are(house: House, company: Client) -> None:
    for number in range(31):
        company.alert(signature=f"s{number}")
    shown = house.terminal("incident", "list", "--company", company.slug).out.splitlines()
    assert len(shown) == 32
    assert shown[-1] == "30 of 31"


def test_several_are_resolved_only_after_a_yes(house: House, company: Client) -> None:
    ids = [company.alert(signature=f"s{n}")["incident_id"] for n in range(2)]
    words = ("incident", "resolve", *ids, "--note", "done")
    no = house.terminal(*words, answers=[("?", "n\n")])
    assert (no.code, "nothing was changed" in no.out) == (130, True)
    assert {i["state"] for i in house.incidents(company)} == {"OPEN"}
    assert house.terminal(*words, answers=[("?", "y\n")]).code == 0
    assert {i["state"] for i in house.incidents(company)} == {"RESOLVED"}


def test_what_is_missing_is_asked_for(house: House, incident: str) -> None:
    ran = house.terminal("incident", "resolve", incident, answers=[("what was done", "cleared the cache\n")])
    assert ran.code == 0
    assert house.json("incident", "show", incident)["resolution_notes"] == "cleared the cache"


@pytest.mark.parametrize("env", [{"SIEMS_NO_INPUT": "1"}, {"CI": "true"}])
def test_nobody_is_asked_where_prompts_are_forbidden(house: House, incident: str, env: dict[str, str]) -> None:
    assert house.terminal("incident", "resolve", incident, env=env).code == 2
    assert house.terminal("incident", "resolve", incident, "--no-input").code == 2


def test_a_password_is_typed_without_an_echo(house: House, jon: House) -> None:
    there = House(jon.home / "desk", SIEMS_URL=jon.env["SIEMS_URL"])
    there.home.mkdir(exist_ok=True)
    ran = there.terminal("login", "--user", "jon", answers=[("password: ", f"{PASSWORD}\n")])
    assert "logged in as jon (technician)" in ran.out
    assert PASSWORD not in ran.out
    assert (there.home / "config" / "session.json").stat().st_mode & 0o777 == 0o600


def test_ctrl_c_is_130_at_a_prompt_and_in_a_stream(house: House, company: Client) -> None:
    incident = company.alert()["incident_id"]
    asked = house.terminal("incident", "resolve", incident, interrupt="what was done")
    assert (asked.code, "Traceback" in asked.out) == (130, False)
    with house.start("watch") as followed:
        assert followed.stdout is not None
        until(lambda: company.alert() and select.select([followed.stdout], [], [], 0)[0])
        followed.send_signal(signal.SIGINT)
        _, said = followed.communicate(timeout=10)
    assert (followed.returncode, said) == (130, "")
