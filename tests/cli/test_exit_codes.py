"""One test per command and exit code: scripts branch on them."""

from __future__ import annotations

import pytest

from house import Client, House, free_port

LOOKING = [
    "incident list", "incident list --query severity:>=HIGH --sort -created_at --limit 5", "alert list",
    "alert list --rejected", "company list", "integration list", "integration tools", "integration list --tools",
    "integration tools zabbix", "user list", "audit list", "audit verify", "notify inbox", "whoami", "daemon status",
    "silence list", "silence list --within 8h --expired", "maintenance list", "heartbeat list",
    "sla board", "sla report --by severity", "sla policy list", "sla check --query id:999999",
    "page list", "page list --mine --ended", "user show @me",
]  # fmt: skip
"""Commands that only look, and need the daemon."""


@pytest.mark.parametrize("command", LOOKING)
def test_what_only_looks_ends_with_0(house: House, command: str) -> None:
    house.run(*command.split())


@pytest.mark.parametrize("command", LOOKING)
def test_without_a_daemon_it_is_10_and_says_where_it_looked(house: House, command: str) -> None:
    ran = house.run(*command.split(), exit=10, env={"SIEMS_URL": f"http://127.0.0.1:{free_port()}"})
    assert "no daemon answers at http://127.0.0.1" in ran.err
    assert "SIEMS_URL" in ran.err.splitlines()[-1]


@pytest.mark.parametrize("command", LOOKING)
def test_a_wrong_token_is_4_and_named_by_where_it_came_from(house: House, command: str) -> None:
    ran = house.run(*command.split(), exit=4, env={"SIEMS_TOKEN": "wrong"})
    assert "the token in SIEMS_TOKEN is not accepted" in ran.err


@pytest.mark.parametrize("token", ["", "\n"])
def test_an_empty_token_is_4_and_nobody_becomes_the_admin_of_this_machine_by_it(house: House, token: str) -> None:
    ran = house.run("incident", "list", exit=4, env={"SIEMS_TOKEN": token})
    assert "SIEMS_TOKEN is set, but empty" in ran.err
    assert "unset it" in ran.err


@pytest.mark.parametrize(
    "command",
    [
        "--version", "version", "--help", "help", "help exit-codes", "help environment", "help time", "help query",
        "schema", "schema IncidentView", "config list", "config path", "db check", "doctor", "incident --help",
        "incident list --help", "sla policy --help", "logout",
    ],
)  # fmt: skip
def test_what_needs_no_daemon_ends_with_0(house: House, command: str) -> None:
    house.run(*command.split())


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("incidnt list", "siems incident list"),
        ("incident lst", "siems incident list"),
        ("incident list --severty HIGH", "--severity"),
        ("incident list --query severty:HIGH", "severity:"),
        ("incident list -o xml", "table, wide, json"),
        ("incident list --limit 0", "--limit 100"),
        ("incident list --limit some", "--limit 100"),
        ("incident list --since 24", "24m?"),
        ("incident list --timeout 5", "5m?"),
        ("incident list --timeout 0s", "--timeout 10s"),
        ("incident list --color red", "--color never"),
        ("incident show", "siems incident show --help"),
        ("incident list --companny x", "siems incident list --company"),
        ("incident list --client x", "siems incident list --company"),
        ("incident list --qqqq", "siems incident list --help"),
        ("oncall schedule create x --zone UTC", "siems oncall schedule create --tz"),
        ("report volume --tz UTC", "siems report volume --zone"),
        ("report volume --since 7d", "siems report volume --range"),
        ("incident ack", "INC-12"),
        ("incident assign 1", "--to"),
        ("incident hold 1", "--for"),
        ("incident hold 1 --for vendor", "--until"),
        ("incident hold 1 --for vendor --until 30", "30m?"),
        ("incident hold 1 --for vendor --until 25:00", "9am or 21:00"),
        ("incident wait 1 --for money", "state=resolved"),
        ("incident wait 1 --timeout 30", "30m?"),
        ("alert list --rejected --limit none", "--limit 100"),
        ("alert send --company fjord", "--asset"),
        ("alert send --company fjord --asset a --label x", "--label site=oslo"),
        ("alert send --company fjord --file none.json", "a file of text"),
        ("alert replay", "--since 1h"),
        ("alert replay --since 1 --company fjord", "1m?"),
        ("alert replay --since 1h --company fjord --speed -1", "--speed 10"),
        ("integration add zabbix --company fjord --sign", "--allow-cidr"),
        ("integration add zabbix --company fjord --allow-cidr office", "192.0.2.0/24"),
        ("integration add zabbix --company fjord --key-expires 90", "90m?"),
        ("integration add zabbix --company msp", "--tenant-field"),
        ("integration setup zabbix --company fjord --print all", "curl"),
        ("integration map int-x 7", "--remove"),
        ("integration revoke int-x", "--confirm int-x"),
        ("integration rotate int-fjord-generic-1 --overlap 24", "24m?"),
        ("company rotate-key fjord", "--confirm fjord"),
        ("company test fjord --dry-run", "--dry-run"),
        ("company onboard", "siems company onboard --help"),
        ("company onboard X --rate many", "600/min"),
        ("company edit fjord --window 10", "10m?"),
        ("sla policy set --company fjord --severity HIGH --response 30", "30m?"),
        ("user create someone --email s@msp.example --role technician", "--password-stdin"),
        ("login", "--user"),
        ("login --user jon", "--password-stdin"),
        ("notify read", "--all"),
        ("silence add asset=x --company fjord --comment x", "--for 2h"),
        ("silence add asset=x --company fjord --for 2h --until 14:00 --comment x", "--for 2h"),
        ("silence add asset=x --company fjord --for 2", "2m?"),
        ("silence add asset=x --company fjord --for 2h", "--comment"),
        ("silence add dc01 --company fjord --for 2h --comment x", "asset=dc*"),
        ("silence add asest=x --company fjord --for 2h --comment x", "asset"),
        ("silence add severity=bad --company fjord --for 2h --comment x", "CRITICAL"),
        ("silence add asset~(x --company fjord --for 2h --comment x", "RE2"),
        ("silence add asset=x --company fjord --for 2h --comment x --repeat hourly", "weekly sat,sun"),
        ("silence add asset=x --company fjord --for 2h --comment x --repeat daily --tz Mars", "Europe/Oslo"),
        ("silence add --company fjord --for 2h", "siems silence add --help"),
        ("silence extend SIL-1", "--for 1h"),
        ("silence end", "siems silence end --help"),
        ("maintenance create --company fjord --match asset=x --for 2h", "--reason"),
        ("maintenance run --company fjord --match asset=x --reason x -- true", "--max"),
        ("maintenance run --company fjord --match asset=x --reason x --max 30m -- no-such-command", "no window"),
        ("asset edit web-01 --company fjord", "siems asset edit --help"),
        ("heartbeat create x --company fjord", "siems heartbeat create --help"),
        ("heartbeat create x --company fjord --every 60", "60m?"),
        ("heartbeat create x --company fjord --every 1s", "5m, 1h"),
        ("heartbeat create x --company fjord --every 1h --severity dire", "CRITICAL"),
        ("init", "siems init --admin"),
        ("init --admin dana", "siems init --admin"),
        ("tui", "siems watch -o jsonl"),
        ("watch --exit-after soon", "30m"),
        ("daemon status --wait 5", "5m?"),
        ("up --port many", "siems up --help"),
    ],
)
def test_what_cannot_be_understood_is_2_and_the_last_line_says_what_to_type(
    house: House, known: Client, command: str, hint: str
) -> None:
    ran = house.run(*command.split(), exit=2)
    assert hint in ran.err.splitlines()[-1]
    assert ran.out == ""


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("incident show INC-999999", "siems incident list"),
        ("incident show somewhere", "siems incident list"),
        ("incident show ../companies/fjord", "siems incident list"),
        ("incident timeline 999999", "siems incident list"),
        ("incident ack 999999", "siems incident list"),
        ("incident wait 999999", "siems incident list"),
        ("incident list --context prod", "siems context add prod"),
        ("alert show ALR-999999", "siems alert list"),
        ("silence show SIL-999999", "siems silence list"),
        ("silence extend 999999 --for 1h", "siems silence list"),
        ("silence end 999999", "siems silence list"),
        ("maintenance end SIL-999999", "siems maintenance list"),
        ("silence add asset=x --company nobody --for 1h --comment x", "siems company list"),
        ("company show nobody", "siems company list"),
        ("company edit nobody --rate 60/min", "siems company list"),
        ("asset list --company nobody", ""),
        ("sla policy show --company nobody", ""),
        ("sla explain 999999", "siems incident list"),
        ("integration add quuxmon --company fjord", "known: "),
        ("integration add alertmanager --company nobody", ""),
        ("heartbeat show nothing", "siems heartbeat list"),
        ("heartbeat create x --company nobody --every 1h", "siems company list"),
        ("schema IncidntView", "IncidentView"),
        ("help weather", "exit-codes"),
    ],
)
def test_what_is_not_there_is_3(house: House, known: Client, command: str, hint: str) -> None:
    ran = house.run(*command.split(), exit=3)
    assert ran.err.startswith("error: there is no ")
    assert hint in ran.err.splitlines()[-1]


@pytest.mark.parametrize(
    "command",
    [
        "company onboard Other", "company edit fjord --rate 5/min", "integration add alertmanager --company fjord",
        "heartbeat create x --company fjord --every 1h",
        "sla policy set --company fjord --severity HIGH --response 1h",
        "user create x --email x@msp.example --role admin --password-stdin",
        "incident assign {incident} --to dana", "incident close {incident}",
        "silence add asset=x --for 25h --comment x", "maintenance create --match asset=x --for 1h --reason CHG-9",
    ],
)  # fmt: skip
def test_what_the_role_does_not_allow_is_5(known: Client, jon: House, command: str) -> None:
    incident = known.alert()["incident_id"]
    ran = jon.run(*command.format(incident=incident).split(), exit=5, text=f"{'long enough ' * 2}\n")
    assert "jon is a technician and may not" in ran.err


@pytest.mark.parametrize("command", ["company onboard", "incident assign INC-1 --to jon", "audit list"])
def test_nobody_is_4_and_told_to_log_in(jon: House, command: str) -> None:
    nobody = House(jon.home / "nobody", SIEMS_URL=jon.env["SIEMS_URL"])
    nobody.home.mkdir(exist_ok=True)
    ran = nobody.run(*command.split(), *(["Other"] if "onboard" in command else []), exit=4)
    assert "siems login" in ran.err.splitlines()[-1]


def test_a_wrong_password_is_4(jon: House) -> None:
    jon.run("login", "--user", "jon", exit=4, env={"SIEMS_PASSWORD": "something else"})


def test_a_second_company_or_user_of_the_same_name_is_6(house: House, jon: House) -> None:
    assert "--slug" in house.run("company", "onboard", "Fjord", exit=6).err
    words = ("user", "create", "jon", "--email", "jon@msp.example", "--role", "technician", "--password-stdin")
    house.run(*words, exit=6, text="long enough to pass\n")


@pytest.mark.parametrize("command", ["close", "hold --for vendor --until 2h"])
def test_a_step_that_the_state_does_not_allow_is_6_and_names_the_next_one(
    house: House, incident: str, command: str
) -> None:
    ran = house.run("incident", *command.split(), incident, exit=6)
    assert f"{incident} is OPEN" in ran.err
    assert "siems incident " in ran.err.splitlines()[-1]


def test_the_database_of_a_running_daemon_is_not_upgraded_6(house: House) -> None:
    ran = house.run("db", "upgrade", exit=6)
    assert str(house.pid) in ran.err
    assert "siems daemon stop" in ran.err.splitlines()[-1]


def test_some_of_several_is_7_all_of_several_is_its_own_code(house: House, incident: str) -> None:
    ran = house.run("incident", "ack", incident, "999999", exit=7)
    assert f"{incident}: assign and ack" in ran.out
    assert "999999: there is no INC-999999" in ran.err
    house.run("incident", "ack", "999998", "999999", exit=3)


def test_of_several_silences_some_7_and_one_that_is_over_is_not_extended_6(house: House, company: Client) -> None:
    words = ("silence", "add", "asset=x", "--company", company.slug, "--for", "1h", "--comment", "x", "-q")
    first, second = (house.run(*words).out.strip() for _ in range(2))
    ran = house.run("silence", "expire", first, "999999", exit=7)
    assert f"{first}: over" in ran.out
    assert "999999: there is no SIL-999999" in ran.err
    assert "siems silence add asset=x" in house.run("silence", "extend", first, "--for", "1h", exit=6).err
    assert house.json("silence", "end", first)["changed"] is False
    assert house.run("silence", "end", "-", text=f"{first}\n{second}\n").lines == [
        f"{first}: over already, nothing changed", f"{second}: over",
    ]  # fmt: skip


def test_a_wait_that_ends_without_its_condition_is_8(house: House, incident: str) -> None:
    ran = house.run("incident", "wait", incident, "--for", "state=resolved", "--timeout", "0.2s", exit=8)
    assert f"siems incident show {incident}" in ran.err
    house.run("incident", "resolve", incident, "--note", "done")
    house.run("incident", "wait", incident, "--for", "state=resolved", "--timeout", "10s")
    house.run("incident", "close", incident)
    house.run("incident", "wait", incident, "--for", "state=resolved", "--timeout", "0.2s")


def test_a_daemon_that_does_not_come_is_8(tmp_path_factory: pytest.TempPathFactory) -> None:
    nowhere = House(tmp_path_factory.mktemp("nowhere"), SIEMS_URL=f"http://127.0.0.1:{free_port()}")
    nowhere.run("daemon", "status", "--wait", "0.2s", exit=8)


def test_a_doctor_who_finds_something_is_9_with_a_fix_for_each(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    empty = House(tmp_path_factory.mktemp("empty"), SIEMS_URL=f"http://127.0.0.1:{free_port()}")
    ran = empty.run("doctor", exit=9)
    assert "siems init" in ran.out
    checks = empty.run("doctor", "--json", exit=9).json["checks"]
    assert all(check["fix"] for check in checks if not check["ok"])


def test_strict_turns_already_so_into_6(house: House, incident: str) -> None:
    assert house.json("incident", "ack", incident)["changed"] is True
    assert house.json("incident", "ack", incident)["changed"] is False
    house.run("incident", "ack", incident, "--strict", exit=6)
