"""R2: a daemon that is killed in mid-send says that it does not know, and sends again with the same key."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from providers import HELD
from providers.hook import SECRET, Receiver
from siems.domain.reach import LEASE

from .journal import Victim
from .test_due_steps import asks, rows

pytestmark = pytest.mark.faults


def test_what_was_on_its_way_at_a_kill_is_unknown_and_sent_again_with_its_key(
    database_url: str, tmp_path: Path
) -> None:
    settings = {"SIEMS_WEBHOOKS_SECRET": SECRET, "SIEMS_WEBHOOKS_ALLOW": "127.0.0.1"}
    victim = Victim(tmp_path / "home", database_url, **settings)
    victim.set_up()
    victim.start()
    victim.onboard()
    with Receiver() as hook:
        hook.then(HELD)
        rule = {"user": "root", "channel": "webhook", "address": f"{hook.url}/x", "about": ["incident.opened"]}
        asks(victim, "POST", "/notify/rules", rule)
        body = '{"asset_name": "a", "signature": "down", "severity": "high"}'
        asks(victim, "POST", "/alerts", {"company": "comp-acme", "body": body})
        hook.wait_seen(1)
        victim.kill()
        assert messages(database_url) == [("sending", None, 1)]
        victim.start()
        hook.wait_seen(2, timeout=LEASE.total_seconds() + 20)
        hook.release()
        end = time.monotonic() + 20
        while (found := messages(database_url))[0][0] != "sent":
            assert time.monotonic() < end, found
            time.sleep(0.1)
        assert found[0][1] is not None, "it is shown that it may have arrived twice"
        assert found[0][2] == 2
        assert len({seen.headers["webhook-id"] for seen in hook.seen}) == 1
        assert len(hook.taken) == 1, "the receiver knows the key"
    assert victim.stop() == 0


def messages(database_url: str) -> list[tuple[Any, ...]]:
    found = rows(database_url, "SELECT state, unknown_at, attempt FROM message WHERE channel = 'webhook'")
    return [tuple(row) for row in found]
