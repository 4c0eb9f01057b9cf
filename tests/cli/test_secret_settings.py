"""Settings that are secret are never said back."""

from __future__ import annotations

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
    ran = house.run("config", "set", "webpush.private_key", key, "--dry-run")
    assert "(hidden)" in ran.out
    assert key not in ran.out + ran.err
