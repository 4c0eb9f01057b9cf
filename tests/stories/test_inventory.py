"""What stands where: an inventory by hand, from a table and from AWS, as a user types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clouds.conftest import Cloud
from clouds.conftest import cloud as cloud
from house import House, until

TABLE = """\
name,critical,addresses,platform,depends_on
web-01,,10.0.0.7;10.0.1.7,linux,db-01
db-01,yes,10.0.0.8,linux,san-01
san-01,,,network,
"""


def test_an_inventory_from_a_table(running: House, tmp_path: Path) -> None:
    acme = running.onboard("Acme Corp")
    acme.alert(asset="web-01")
    table = tmp_path / "acme.csv"

    # the first try has mistakes: each is named by its line, and nothing is imported
    table.write_text(TABLE.replace("network", "netwrok").replace("10.0.0.8", "10.0.0.888"))
    wrong = running.run("asset", "import", str(table), "--company", "acme", "--yes", exit=2)
    assert wrong.err.splitlines()[0].startswith("line 3: '10.0.0.888' is neither an IP address")
    assert wrong.err.splitlines()[1].startswith("line 4: platform is one of linux")
    assert [row[0] for row in running.run("asset", "list").rows] == ["web-01"]
    said = running.run("asset", "import", str(table), "--company", "acme", "--yes", "--json", exit=2).error
    assert said["code"] == "invalid_field"
    assert "line 3:" in said["message"]

    # what would change is shown before it does, and nobody is surprised
    table.write_text(TABLE)
    unsure = running.run("asset", "import", str(table), "--company", "acme", exit=2)
    assert "--dry-run" in unsure.err.splitlines()[-1]
    dry = running.run("asset", "import", str(table), "--company", "acme", "--dry-run").out
    assert "~ web-01\n    addresses: nothing -> 10.0.0.7, 10.0.1.7" in dry
    assert "+ db-01\n    critical: yes" in dry
    assert dry.splitlines()[-1] == "2 new, 1 changed, 0 as before; nothing was changed, this was a dry run"
    asked = running.terminal(
        "asset", "import", str(table), "--company", "acme", answers=[("import 2 new and 1 changed?", "y\n")]
    )
    assert asked.code == 0
    assert asked.out.splitlines()[-1] == "2 new, 1 changed, 0 as before"
    assert running.json("asset", "import", str(table), "--company", "acme", "--yes")["unchanged"] == 3

    # the list comes back as a table that can be imported again
    fields = "name,critical,addresses,platform,depends_on"
    again = running.run("asset", "list", "--company", "acme", "-o", "csv", "--fields", fields).out
    assert running.run("asset", "import", "-", "--company", "acme", "--yes", text=again).out.startswith("0 new, 0 ch")

    # a person knows better
    card = running.run("asset", "show", "db-01", "--company", "acme").out
    assert "needed by       web-01" in card
    cycle = running.run("asset", "edit", "san-01", "--company", "acme", "--depends-on", "web-01", exit=2)
    assert "san-01 -> web-01 -> db-01 -> san-01" in cycle.err
    running.run("asset", "edit", "san-01", "--company", "acme", "--notes", "shelf 3", "--category", "hardware")
    running.run("asset", "create", "web01.acme.local", "--company", "acme", "--address", "10.0.2.7")
    assert "web-01" in running.run("asset", "delete", "db-01", "--company", "acme", "--yes", exit=6).err
    merged = running.json("asset", "merge", "web01.acme.local", "--into", "web-01", "--company", "acme", "--yes")
    assert merged["addresses"] == ["10.0.0.7", "10.0.1.7", "10.0.2.7"]
    running.run("asset", "show", "web01.acme.local", "--company", "acme", exit=3)
    assert [row[0] for row in running.run("asset", "list", "--critical", "--query", "platform:linux").rows] == ["db-01"]

    # what is critical counts more from now on
    acme.alert(asset="db-01", signature="slow")
    [slow] = [i for i in running.incidents(acme) if "slow" in i["title"].lower()]
    assert running.json("asset", "show", "db-01", "--company", "acme")["incidents"] == [slow["id"]]


def test_an_inventory_from_aws(prepared: Callable[..., House], cloud: Cloud) -> None:
    house = prepared(
        SIEMS_AWS_ENDPOINT_URL=cloud.url, AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing",
        AWS_EC2_METADATA_DISABLED="true",
    ).up()  # fmt: skip
    house.onboard("Acme Corp").alert(asset="web-01")
    [web, _] = cloud.run("web-01", "db-01")
    cloud.agents = None
    made = house.run("asset", "import", "--aws", "--company", "acme", "--region", "eu-west-1", "--yes").out
    assert "~ web-01" in made
    assert "+ db-01" in made
    assert "warning: without Systems Manager" in made
    found = house.json("asset", "show", "web-01", "--company", "acme")
    assert (found["instance_id"], found["platform"], found["source"]) == (web["InstanceId"], "linux", "imported")
    assert "which region?" in house.run("asset", "import", "--aws", "--company", "acme", "--yes", exit=2).err
    told = house.run("asset", "import", "--company", "acme", exit=2)
    assert "--aws" in told.err.splitlines()[-1]


def test_the_database_says_what_is_in_it_while_the_daemon_works(running: House) -> None:
    running.onboard("Acme Corp").alert()
    found = {row["table"]: row for row in running.json("db", "stats")}
    assert (found["alert"]["rows"], found["alert"]["kept_days"]) == (1, 365)
    assert found["alert"]["oldest"].endswith("Z")
    assert found["audit_entry"]["kept_days"] is None
    shown = running.terminal("db", "stats").out
    assert "for good" in shown
    assert "in all" in shown


def test_a_body_that_was_removed_says_so(prepared: Callable[..., House]) -> None:
    house = prepared()
    house.up()
    alert = house.onboard("Acme Corp").alert()["alert_id"]
    assert house.run("alert", "show", alert, "--raw").out.startswith("{")
    house.stop()
    import sqlite3

    with sqlite3.connect(house.home / "data" / "siems.db") as database:
        database.execute("UPDATE raw_body SET at = 0")
        database.execute("UPDATE deadline SET due_at = 1 WHERE kind = 'housekeeping'")
    database.close()
    house.up()
    until(lambda: "removed by retention" in house.run("alert", "show", alert).out)
    gone = house.run("alert", "show", alert, "--raw", exit=3)
    assert "removed by retention" in gone.err
