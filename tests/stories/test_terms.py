"""A client that cannot sign is onboarded with a key alone, which is good from its network and for a while."""

from __future__ import annotations

import json
from pathlib import Path

from house import House, until

BODY = json.dumps({"asset_name": "ups-1", "signature": "on_battery", "severity": "high", "message": "on battery"})


def test_a_key_alone_lets_in_from_its_network_and_until_it_ends(running: House) -> None:
    made = running.json(
        "company", "onboard", "Near", "--auth", "key", "--allow-cidr", "127.0.0.0/8", "--key-expires", "90d"
    )
    assert made["hmac_secret"] is None
    assert made["api_key"] in made["webhook_url"]
    sent = running.shell(f"curl -sS -w '%{{http_code}}' '{made['webhook_url']}' --data-raw '{BODY}'")
    assert sent.out.endswith("202"), sent
    [key] = running.json("company", "keys", "near")
    assert key["networks"] == ["127.0.0.0/8"]
    assert key["expires_at"] > key["created_at"]
    far = running.json("company", "onboard", "Far", "--auth", "key", "--allow-cidr", "192.0.2.0/24")
    refused = running.shell(f"curl -sS -o /dev/null -w '%{{http_code}}' '{far['webhook_url']}' --data-raw '{BODY}'")
    assert refused.out == "401"
    until(lambda: "address not allowed" in running.run("alert", "list", "--rejected").out)


def test_what_is_shown_fits_a_key_alone_and_can_be_tried_and_replaced(running: House) -> None:
    shown = running.run("company", "onboard", "Plain", "--auth", "key").out
    assert "HMAC secret" not in shown
    line = shown[shown.index("curl ") :]
    assert "on disk" in running.shell(f"{line.strip()} >/dev/null && echo on disk").out
    new = running.json("company", "rotate-key", "plain", "--confirm", "plain")
    assert new["api_key"]
    assert not new["hmac_secret"]


def test_terms_that_cannot_be_taken_make_no_client(running: House) -> None:
    for words, hint in (
        (("--auth", "password"), "hmac or key"), (("--allow-cidr", "home"), "192.0.2.0/24"),
        (("--key-expires", "2020-01-01"), "revoke"),
    ):  # fmt: skip
        assert hint in running.run("company", "onboard", "Nobody", *words, exit=2).err
    assert running.json("company", "list") == []


def test_the_page_of_a_tool_is_opened_for_who_sits_there_and_named_to_a_script(running: House, tmp_path: Path) -> None:
    running.onboard("Acme")
    program, opened = tmp_path / "bin" / "xdg-open", tmp_path / "opened"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    program.chmod(0o755)
    path = {"PATH": f"{program.parent}:{running.env['PATH']}"}
    words = ("integration", "setup", "zabbix", "--company", "acme", "--open")
    assert "open it yourself:  https://www.zabbix.com/" in running.run(*words, env=path).err
    assert not opened.exists()
    assert running.terminal(*words, env=path).code == 0
    until(opened.exists)
    until(lambda: opened.read_text().startswith("https://www.zabbix.com/"))
