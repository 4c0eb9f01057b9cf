"""Settings that are secret are never said back."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from house import House
from siems.channels.webpush import public_key
from siems.cli.config import SECRETS
from siems.config import Settings


def test_every_secret_of_the_settings_is_known_to_be_one() -> None:
    found = set()
    for section in Settings.model_fields.values():
        for name, field in getattr(section.annotation, "model_fields", {}).items():
            if field.annotation is SecretStr:
                found.add(name)
    assert found
    assert found <= set(SECRETS)


def test_a_key_for_browsers_is_made_and_set_without_being_shown(house: House) -> None:
    key = house.run("notify", "browser", "--new-key").out.strip()
    assert len(public_key(key)) == 87, "a browser can use it"
    assert house.run("notify", "browser", "--new-key").out.strip() != key
    ran = house.run("config", "set", "webpush.private_key", "--secret-file", "-", "--dry-run", text=key + "\n")
    assert "(hidden)" in ran.out
    assert key not in ran.out + ran.err
    assert "shell" not in ran.err


def test_a_secret_among_the_arguments_is_taken_with_a_word_of_warning(house: House, tmp_path: Path) -> None:
    ran = house.run("config", "set", "webpush.private_key", "x", "--dry-run")
    assert "--secret-file -" in ran.err
    file = tmp_path / "key"
    file.write_text("y\n")
    assert "(hidden)" in house.run("config", "set", "webpush.private-key", "--secret-file", str(file), "--dry-run").out


def test_a_setting_needs_one_value_and_no_more(house: House, tmp_path: Path) -> None:
    assert "VALUE, or --secret-file F" in house.run("config", "set", "server.port", exit=2).err
    assert "--secret-file -" in house.run("config", "set", "webpush.private_key", exit=2).err
    both = house.run("config", "set", "server.port", "1", "--secret-file", str(tmp_path), exit=2)
    assert "one of the two is enough" in both.err
    assert "what is server.port to be?" not in both.err
    assert "webhooks.allow" in house.run("config", "set", "webhooks.allow", "", "--dry-run").out
