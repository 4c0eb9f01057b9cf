"""A day with advice: by siems itself, and by a model that is asked from outside and believed only so far."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from house import House, bare, until
from providers.models import KEY, SOUND, Gemini
from tiny_model import tiny_model


def advised(house: House, ref: str) -> str:
    """What `siems incident advice` shows, once there is some."""
    until(lambda: house.json("incident", "advice", ref)["insight"])
    return house.run("incident", "advice", ref).out


def test_a_team_without_a_cloud_is_told_what_helped_last_time(running: House) -> None:
    house, client = running, running.onboard("Acme")
    for name, more in (("sw-1", ()), ("web-1", ("--depends-on", "sw-1")), ("web-2", ("--depends-on", "sw-1"))):
        house.run("asset", "create", name, "--company", "acme", *more)

    # a switch goes down, and takes with it what stands behind it
    for asset in ("web-1", "sw-1", "web-2"):
        ref = client.alert("ping_down", asset)["incident_id"]
    said = advised(house, ref)
    assert "cascade" in said
    assert "begin with sw-1" in said
    house.run("incident", "resolve", ref, "--note", "replaced the power supply of sw-1", "--cause", "hardware", "--yes")

    # it fails again, and another tool has another word for it: what helped last time is said
    again = client.alert("icmp_ping_loss_down", "sw-1", tool_source="Zabbix", message="ping_down on sw-1")[
        "incident_id"
    ]
    assert again != ref
    said = advised(house, again)
    assert f"{ref} looked like this and was fixed by dana: replaced the power supply of sw-1" in said
    [row] = house.run("incident", "similar", again).rows
    assert row[1] == ref
    assert "replaced the power supply" in bare(house.terminal("incident", "similar", again, columns=140).out)

    # it was of use, and somebody counts that
    house.run("incident", "advice", again, "--useful", "--comment", "went straight to the switch")
    [use] = house.json("advice", "stats", "--company", "acme")["providers"]
    assert (use["provider"], use["useful"], use["calls"]) == ("local", 1, 0)


def test_a_model_from_outside_raises_at_once_and_lowers_only_by_a_persons_word(prepared: Callable[..., House]) -> None:
    with Gemini(SOUND | {"severity": "CRITICAL", "severity_confidence": 0.9, "severity_why": "all of [client-1]"}) as m:
        house = prepared(SIEMS_ADVICE_PROVIDERS="gemini,local", SIEMS_GEMINI_KEY=KEY, SIEMS_GEMINI_URL=m.url).up()
        client = house.onboard("Acme")
        ref = client.alert("vpn_down", "fw-1", message="peer 192.0.2.7 psk secret=canary-7 lost")["incident_id"]
        shown = advised(house, ref)
        assert "severity  HIGH -> CRITICAL (0.90), applied at once: all of Acme" in shown
        assert "The uplink of fw-1 is probably down." in shown
        for word in (b"192.0.2.7", b"canary-7", b"fw-1", b"Acme"):
            assert word not in m.seen[0].body
        back = house.json("incident", "advice", ref, "--dismiss", "--reason", "a test line")
        assert (back["severity"], back["changed"]) == ("HIGH", True)

        # the other way round it takes a word
        m.says = SOUND | {"severity": "LOW", "severity_confidence": 0.95}
        noise = client.alert("printer_door_open", "prt-1")["incident_id"]
        assert f"siems incident advice {noise} --accept" in advised(house, noise)
        before = house.json("incident", "show", noise)
        assert before["severity"] == "HIGH"
        house.run("incident", "advice", noise, "--accept", "--reason", "a printer")
        after = house.json("incident", "show", noise)
        assert (after["severity"], after["sla"]["response"]["due_at"]) == ("LOW", before["sla"]["response"]["due_at"])
        assert "advice accepted, severity HIGH -> LOW: a printer" in house.run("incident", "timeline", noise).out
        assert house.run("audit", "verify").code == 0


def test_a_model_on_this_machine_finds_what_another_tool_says_in_other_words(
    prepared: Callable[..., House], tmp_path: Path
) -> None:
    folder = tmp_path / "tiny"
    house = prepared(SIEMS_ADVICE_SENTENCE_MODEL=str(folder)).up()
    [check] = [one for one in house.json("doctor", exit=9)["checks"] if one["name"] == "sentence model"]
    assert (check["ok"], check["cause"]) == (False, f"advice.sentence_model names {folder}, which is no folder")
    tiny_model(folder)
    house.run("daemon", "restart")

    def reads() -> bool:
        checks = house.json("daemon", "status")["checks"]
        return any(one["name"] == "sentence model" and one["cause"].endswith("reads what is similar") for one in checks)

    until(reads)
    client = house.onboard("Acme")
    old = client.alert("node_offline", "sw-1", message="machine down, no reply")["incident_id"]
    house.run("incident", "resolve", old, "--note", "pulled the plug", "--cause", "hardware", "--yes")

    new = client.alert("icmp_unreachable", "sw-1", tool_source="Zabbix", message="host lost: no answer to ping")[
        "incident_id"
    ]
    assert new != old
    assert f"{old} looked like this, by the sentence model, and was fixed by dana: pulled the plug" in advised(
        house, new
    )
    [row] = house.json("incident", "similar", new)
    assert row["id"] == old
    assert row["why"][-1].startswith("text is near by the sentence model (0.")
    assert "near by the sentence model" in bare(house.terminal("incident", "similar", new, columns=200).out)
