"""Acts on one and on many: bulk, guards, dry runs, secrets."""

from __future__ import annotations

import json

import pytest

from house import Client, House


def some(company: Client, number: int) -> list[str]:
    return [str(company.alert(signature=f"s{n}")["incident_id"]) for n in range(number)]


def states(house: House, company: Client) -> set[str]:
    return {i["state"] for i in house.incidents(company)}


# --- many at once ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["-q", "-o jsonl", "-o table"])
def test_what_a_list_prints_another_command_takes(house: House, company: Client, source: str) -> None:
    ids = some(company, 2)
    ran = house.shell(f"siems incident list --company {company.slug} {source} | siems incident ack - -q")
    assert set(ran.out.split()) == set(ids)
    assert states(house, company) == {"ASSIGNED"}


def test_nothing_on_standard_input_changes_nothing(house: House) -> None:
    ran = house.run("incident", "ack", "-", "--json")
    assert ran.json == []


def test_a_line_that_is_no_incident_is_refused_before_anything_is_changed(house: House, company: Client) -> None:
    [incident] = some(company, 1)
    house.run("incident", "ack", "-", text=f'{incident}\n{{"no": "id"}}\n', exit=2)
    assert states(house, company) == {"OPEN"}


def test_a_query_acts_on_what_it_finds_and_is_guarded(house: House, company: Client) -> None:
    some(company, 3)
    words = ("incident", "ack", "--query", f"#{company.slug} state:OPEN")
    ran = house.run(*words, "--max", "2", exit=2)
    assert "this would change 3 incidents" in ran.err
    assert "--max 3" in ran.err.splitlines()[-1]
    assert states(house, company) == {"OPEN"}
    assert len(house.run(*words).lines) == 3
    assert house.run(*words).out == ""


def test_resolving_many_needs_a_yes(house: House, company: Client) -> None:
    ids = some(company, 2)
    assert "--yes" in house.run("incident", "resolve", *ids, "--note", "x", exit=2).err
    house.run("incident", "resolve", *ids, "--note", "x", "--yes")
    assert states(house, company) == {"RESOLVED"}


def test_a_retry_with_the_same_key_happens_once_for_each(house: House, company: Client) -> None:
    ids = some(company, 2)
    words = ("incident", "note", ids[0], "tried once", "--idempotency-key", f"k-{ids[0]}")
    house.run(*words)
    house.run(*words)
    story = house.json("incident", "timeline", ids[0])
    assert [entry["text"] for entry in story].count("tried once") == 1
    assert len(house.run("incident", "ack", *ids, "--idempotency-key", f"a-{ids[0]}").lines) == 2


# --- dry runs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    ["ack", "start", "take", "assign --to dana", "resolve --note x", "escalate --reason x", "note x"],
)
def test_a_dry_run_of_an_act_tells_and_writes_nothing(house: House, incident: str, act: str) -> None:
    verb, *more = act.split()
    ran = house.run("incident", verb, incident, *more, "--dry-run")
    assert "(dry run, nothing is written)" in ran.out
    kept = house.json("incident", "show", incident)
    assert (kept["state"], kept["version"]) == ("OPEN", 1)


def test_a_dry_run_fails_as_the_real_call_would(house: House, incident: str) -> None:
    house.run("incident", "close", incident, "-n", exit=6)
    house.run("incident", "ack", "999999", "-n", exit=3)


def test_a_dry_run_of_onboarding_makes_neither_a_company_nor_secrets(house: House) -> None:
    file = house.home / "dry.env"
    ran = house.run("company", "onboard", "Dry Dock", "-n", "--secrets-file", str(file))
    assert "would be ready" in ran.out
    assert "sk_" not in ran.out + house.run("company", "onboard", "Dry Dock", "-n", "--json").out
    assert not file.exists()
    house.run("company", "show", "dry-dock", exit=3)


# --- secrets ---------------------------------------------------------------------------------------------------


def test_a_file_of_secrets_is_private_and_never_overwritten(house: House) -> None:
    file = house.home / "one.env"
    ran = house.run("company", "onboard", "Private", "--secrets-file", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_text()
    secret = before.partition("SIEMS_HMAC='")[2].partition("'")[0]
    assert secret.startswith("whsec_")
    assert secret not in ran.out + ran.err
    again = house.run("company", "onboard", "Private Two", "--secrets-file", str(file), exit=6)
    assert "never overwritten" in again.err
    assert file.read_text() == before
    house.run("company", "show", "private-two", exit=3)


def test_a_file_that_cannot_be_written_loses_no_secret(house: House) -> None:
    house.run("company", "onboard", "Lost", "--secrets-file", str(house.home / "no" / "x.env"), exit=2)
    house.run("company", "show", "lost", exit=3)
    file = house.home / "taken.env"
    house.run(
        "company", "onboard", "Private", "--slug", "private-x", "--secrets-file", str(file), "--rate", "x", exit=2
    )
    assert not file.exists()


def test_secrets_on_standard_output_are_all_that_is_there(house: House) -> None:
    ran = house.shell('siems company onboard "Sourced" --secrets-file - > s.env; . ./s.env; echo "$SIEMS_COMPANY"')
    assert ran.out == "comp-sourced\n"


def test_no_command_takes_a_secret_as_an_argument(house: House) -> None:
    for command in ("login", "user create", "init", "company onboard"):
        said = house.run(*command.split(), "--help").out
        assert not [word for word in ("--password ", "--secret ", "--token ") if word in said]


def test_what_siems_keeps_is_for_its_owner_only(house: House) -> None:
    open_to_others = [
        str(file.relative_to(house.home))
        for file in house.home.rglob("*")
        if file.name in ("token", "secret.key", "siems.db", "siems.toml", "daemon.json", "daemon.sock", "daemon.log")
        and file.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def test_json_of_onboarding_has_the_names_that_scripts_rely_on(house: House) -> None:
    made = json.loads(house.run("company", "onboard", "Named", "--json").out)
    assert {"company_id", "api_key", "hmac_secret", "webhook_url"} <= made.keys()
    assert made["company_id"] == "comp-named"


def test_a_silence_ends_in_one_way(house: House, company: Client) -> None:
    words = ("silence", "add", "asset=x", "--company", company.slug, "--comment", "x")
    assert "needs an end" in house.run(*words, exit=2).err
    assert "both say when it ends" in house.run(*words, "--for", "2h", "--until", "tomorrow 6am", exit=2).err


def test_a_company_that_is_not_there_is_looked_for_among_companies(house: House) -> None:
    ran = house.run("silence", "list", "--company", "nosuch", exit=3)
    assert ran.err.splitlines()[-1].strip() == "siems company list"


def test_alerts_are_found_by_company_and_what_was_refused_as_well(house: House, company: Client) -> None:
    company.alert(signature="one")
    company.alert(signature="two")
    company.alert(signature="other")
    listed = house.run("alert", "list", "--company", company.slug, "--since", "1h", "--query", "signature:one OR two")
    assert {row[7] for row in listed.rows} == {"one", "two"}
    assert house.run("alert", "list", "--rejected", "--company", company.slug, "--since", "1h").rows == []
    refused = house.run("alert", "list", "--rejected", "--query", "signature:one", exit=2)
    assert "--company" in refused.err.splitlines()[-1]


def test_an_alert_of_ones_own_says_what_became_of_it(house: House, company: Client) -> None:
    words = ("alert", "send", "--company", company.slug, "--asset", "dc01", "--message", "no power")
    assert house.run(*words, "--resolve").out.strip() == "nothing active to resolve"
    assert "(dry run, nothing is written)" in house.run(*words, "-n").out
    assert house.run("alert", "list", "--company", company.slug).rows == []
    assert "--file holds the whole alert" in house.run(*words, "--file", "-", text="{}", exit=2).err


def test_a_preview_says_how_many_it_does_not_list(house: House, company: Client) -> None:
    some(company, 52)
    words = ("silence", "add", "asset=*", "--company", company.slug, "--for", "1h", "--comment", "x", "--preview")
    lines = house.run(*words).lines
    assert "active now: 52 alerts" in lines
    assert "  and 2 more" in lines
