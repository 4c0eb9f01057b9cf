"""What is printed: for pipes, for scripts, for spreadsheets; hostile text is text everywhere."""

from __future__ import annotations

import csv
import io
import json

import pytest

from house import Client, House

HOSTILE = "\x1b]0;owned\x07\x1b[31m[/bold] \u202etxt\u2066\x9b1m\x7f\r\nline\ttab \U0001f525"
FORMATS = ("table", "wide", "json", "jsonl", "yaml", "csv", "name")
LISTS = ("incident list", "alert list", "incident timeline {incident}", "asset list --company {company}")
FORBIDDEN = [chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0x202E, 0x2066, 0x200B)]


@pytest.fixture(scope="module")
def hostile(house: House) -> tuple[str, str]:
    """(company, incident) of an alert whose every text attacks the terminal."""
    company = house.onboard()
    answer = company.alert(
        signature=f"=HYPERLINK{HOSTILE}", asset=f"@host{HOSTILE}", message=HOSTILE, labels={"k": HOSTILE}
    )
    incident = str(answer["incident_id"])
    house.run("incident", "note", incident, "-", text=f"+note {HOSTILE}")
    return company.slug, incident


@pytest.mark.parametrize("command", [*LISTS, "incident show {incident}", "alert list --query #{company}"])
@pytest.mark.parametrize("output", [f for f in FORMATS if f != "name"])
def test_no_pipe_carries_a_character_that_a_terminal_obeys(
    house: House, hostile: tuple[str, str], command: str, output: str
) -> None:
    words = command.format(company=hostile[0], incident=hostile[1]).split()
    ran = house.run(*words, "-o", output)
    allowed = {"\t"} if output in ("table", "wide") else {"\r"} if output == "csv" else set()
    assert [char for char in FORBIDDEN if char in ran.out and char not in allowed] == []


def test_lines_for_pipes_have_tabs_no_header_and_nothing_cut(house: House, company: Client) -> None:
    title = "a very long signature " * 8
    incident = company.alert(signature=title.strip())["incident_id"]
    [row] = house.run("incident", "list", "--company", company.slug, env={"COLUMNS": "40"}).rows
    assert row[1:6] == ["HIGH", "60", incident, "OPEN", company.id]
    assert title.strip()[1:] in row[6]
    assert row[0].endswith("Z")
    assert row[0][10] == "T"


def test_json_is_an_array_for_lists_and_an_object_for_one(house: House, incident: str) -> None:
    assert isinstance(house.json("incident", "list"), list)
    one = house.json("incident", "show", incident)
    assert (one["id"], one["state"], one["version"]) == (incident, "OPEN", 1)
    assert {"sla", "actions", "priority_score", "priority_terms"} <= one.keys()


def test_jsonl_is_one_object_a_line(house: House, company: Client) -> None:
    for number in range(3):
        company.alert(signature=f"s{number}")
    lines = house.run("incident", "list", "--company", company.slug, "-o", "jsonl").lines
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == 3


def test_yaml_says_what_json_says(house: House, hostile: tuple[str, str]) -> None:
    query = ("incident", "list", "--company", hostile[0])
    assert _read_yaml(house.run(*query, "-o", "yaml").lines) == house.json(*query)


def test_a_spreadsheet_takes_no_text_for_a_formula(house: House, hostile: tuple[str, str]) -> None:
    said = house.run("alert", "list", "--query", f"#{hostile[0]}", "-o", "csv").out
    header, row = csv.reader(io.StringIO(said))
    cells = dict(zip(header, row, strict=True))
    assert cells["signature"].startswith("'=HYPERLINK")
    assert cells["asset"].startswith("'@host")
    assert not any(cell[:1] in ("=", "+", "-", "@") for cell in row)


def test_names_are_one_id_a_line_and_quiet_is_the_same(house: House, company: Client) -> None:
    ids = {company.alert(signature=f"s{number}")["incident_id"] for number in range(2)}
    listed = ("incident", "list", "--company", company.slug)
    assert set(house.run(*listed, "-o", "name").lines) == ids
    assert set(house.run(*listed, "-q").lines) == ids
    assert set(house.run(*listed, env={"SIEMS_OUTPUT": "name"}).lines) == ids


def test_fields_are_picked_named_and_suggested(house: House, incident: str) -> None:
    show = ("incident", "show", incident)
    assert house.run(*show, "--json", "--fields", "id,state").json == {"id": incident, "state": "OPEN"}
    assert house.run(*show, "--fields", "id,state").out == f"{incident}\tOPEN\n"
    assert {"id", "severity", "sla"} <= set(house.run(*show, "--fields", "?").lines)
    assert "did you mean severity?" in house.run(*show, "--fields", "severty", exit=2).err
    listed = house.run("incident", "list", "--query", f"id:{incident[4:]}", "--fields", "state,id", "-o", "csv")
    assert listed.lines == ["state,id", f"{incident}".join(["OPEN,", ""])]


def test_what_was_done_is_told_in_every_format(house: House, incident: str) -> None:
    ack = ("incident", "ack", incident)
    assert "assign and ack  -> ASSIGNED, with dana" in house.run(*ack).out
    assert house.run(*ack, "-o", "yaml", "--fields", "id,changed").out == f'id: "{incident}"\nchanged: false\n'
    assert house.run(*ack, "-q").out == f"{incident}\n"
    assert house.run(*ack, "999999", "-o", "csv", exit=7).lines == [
        "id,changed,state,who,error",
        f"{incident},false,ASSIGNED,user-dana,",
        "999999,false,,,there is no INC-999999",
    ]
    both = house.run(*ack, "999999", "--json", exit=7).json
    assert [(r["id"], r["changed"], r.get("error", {}).get("code")) for r in both] == [
        (incident, False, None),
        ("999999", False, "not_found"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        "incident show 999999 --json", "incident show 999999 -o json", "incident show 999999 -ojson",
        "incident show 999999 --output=jsonl", "incident show 999999 -o yaml", "incidnt list --json",
        "incident lst --json", "incident list --json --severty HIGH", "incident list --query x:y --json",
        "login --json", "company show nobody --json", "up --port x --json",
    ],
)  # fmt: skip
def test_an_error_for_a_script_is_one_object_on_standard_error(house: House, words: str) -> None:
    code = 3 if "999999" in words or "nobody" in words else 2
    ran = house.run(*words.split(), exit=code)
    assert ran.out == ""
    assert list(ran.error) == ["code", "exit", "message", "hint", "request_id"]
    assert ran.error["exit"] == code


def test_the_word_json_in_a_note_does_not_make_errors_json(house: House, incident: str) -> None:
    assert house.run("incident", "note", "999999", "json", exit=3).err.startswith("error: ")


def test_who_has_read_enough_is_no_error(house: House, known: Client) -> None:
    for command in ("siems audit list --limit 100", "siems --help", "siems incident list --json"):
        ran = house.shell(f"set -o pipefail; {command} | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}")
        assert (ran.out, ran.err) == ("0\n", "")


def test_colours_reach_a_pipe_only_when_asked_for(house: House, known: Client) -> None:
    low = known.alert(signature="dim", severity="critical")["incident_id"]
    listed = ("incident", "list", "--query", f"id:{low[4:]}")
    assert "\x1b" not in house.run(*listed).out
    assert "\x1b[1;31mCRITICAL\x1b[0m" in house.run(*listed, "--color", "always").out
    assert "\x1b[1;31m" in house.run(*listed, env={"FORCE_COLOR": "1"}).out
    assert "\x1b" not in house.run(*listed, "--color", "never", env={"FORCE_COLOR": "1"}).out


def test_debug_tells_what_is_sent_and_no_secret(house: House, known: Client) -> None:
    said = house.run("company", "list", "--debug").err
    assert "GET /api/v1/companies -> 200" in said
    assert (house.home / "config" / "token").read_text().strip() not in said


def _read_yaml(lines: list[str]) -> object:
    """The part of YAML that siems writes: block lists and maps, scalars as JSON, `\\U` for what is beyond."""
    value, rest = _block([line for line in lines if line], 0)
    assert rest == []
    return value


def _block(lines: list[str], indent: int) -> tuple[object, list[str]]:
    pad = " " * indent
    if not lines[0][indent:].startswith("- "):
        return _map(lines, indent)
    items = []
    while lines and lines[0].startswith(f"{pad}- "):
        first = f"{pad}  {lines[0][indent + 2 :]}"
        if _is_key(first.strip()):
            item, lines = _map([first, *lines[1:]], indent + 2)
        else:
            item, lines = _scalar(first), lines[1:]
        items.append(item)
    return items, lines


def _is_key(text: str) -> bool:
    return not text.startswith('"') and text.partition(":")[0].isidentifier()


def _map(lines: list[str], indent: int) -> tuple[object, list[str]]:
    found: dict[str, object] = {}
    while lines and lines[0].startswith(" " * indent) and lines[0][indent] not in " -":
        key, _, said = lines[0].strip().partition(":")
        if said:
            found[key], lines = _scalar(said), lines[1:]
        else:
            found[key], lines = _block(lines[1:], indent + 2)
    return found, lines


def _scalar(text: str) -> object:
    shown = text.strip().replace("\\x7f", "\\u007f")
    return json.loads(shown.replace("\\U0001f525", "\\ud83d\\udd25"))


def test_a_filter_that_cannot_be_used_stops_before_anything_is_done(house: House, company: Client) -> None:
    """What is shown once would be lost with it."""
    create = ("heartbeat", "create", "filtered", "--company", company.slug, "--every", "1h")
    assert "--jq" in house.run(*create, "--jq", "(", exit=2).err
    assert house.run("heartbeat", "list", "--company", company.slug).rows == []
    [head, row] = house.run(*create, "-o", "csv").lines
    made = dict(zip(head.split(","), row.split(","), strict=True))
    assert made["url"].endswith(made["token_hint"])


def test_nobody_reads_on_and_that_is_no_failure_either_while_much_is_still_to_come(house: House) -> None:
    ran = house.shell("siems integration tools --json | (exec 0<&-; sleep 2); echo ${PIPESTATUS[0]}")
    assert (ran.out.strip(), ran.err) == ("0", "")


def test_what_holds_objects_is_json_in_a_cell(house: House, company: Client) -> None:
    words = ("silence", "add", "asset=x", "--company", company.slug, "--for", "1h", "--comment", "x", "--fields")
    [window] = json.loads(house.run(*words, "windows").out)
    assert window["starts_at"] < window["ends_at"]
