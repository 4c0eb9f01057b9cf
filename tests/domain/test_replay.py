"""A stream that is replayed under settings: the same rules as the writer's, and two replays side by side."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain import backtest
from siems.domain.alert import Reading
from siems.domain.changing import replace
from siems.domain.correlation import Rules
from siems.domain.replay import Happening, Outcome, replay
from siems.domain.topology import Topology
from siems.domain.trails import KEPT_PER_ASSET, KEPT_PER_SIGNATURE, KEPT_PER_WORD, Sighting, Trails
from siems.vocabulary import State, Strategy

from .correlated import World
from .making import ACME, T0, minutes, reading

EDGES = {"b": ("a",), "c": ("a",), "d": ("c",)}
READINGS = st.builds(
    reading,
    asset=st.sampled_from("abcdex"),
    signature=st.sampled_from(["high_cpu", "http_5xx", "host_down", "mail sensor"]),
    message=st.sampled_from(["CPU at 95%", "The mail queue holds 7 entries now", "The mail queue holds 8 entries now"]),
)
STREAMS = st.lists(st.tuples(st.sampled_from([0, 1, 7, 16]), READINGS), max_size=16)
RULES = st.builds(Rules, strategy=st.sampled_from(Strategy), texts=st.booleans(), cascades=st.booleans())


def happening(number: int, at: datetime, fired: Reading, **more: Any) -> Happening:
    return Happening(id=number, at=at, reading=fired, fingerprint=fired.fingerprint(ACME), **more)


def fired(*lines: tuple[float, str, str], **more: Any) -> list[Happening]:
    """(minutes after T0, asset, signature) of alerts that recover after a minute."""
    return [
        happening(number, T0 + minutes(at), reading(asset, signature), over_at=T0 + minutes(at + 1), **more)
        for number, (at, asset, signature) in enumerate(lines, 1)
    ]


@settings(max_examples=80, deadline=None)
@given(rules=RULES, stream=STREAMS)
def test_a_replay_puts_every_alert_where_the_rules_have_put_it(rules: Rules, stream: list[tuple[int, Reading]]) -> None:
    model, found = World(rules=rules, edges=EDGES), list[Happening]()
    for number, (gap, one) in enumerate(stream):
        model.now += minutes(gap)
        if one.fingerprint(ACME) not in model.went:  # repeats are told to a replay in another way
            model.take(one)
            found.append(happening(number, model.now, one))
    outcome = replay(found, rules, EDGES)
    assert {p.happening.fingerprint: p.group for p in outcome.placed} == model.went
    assert outcome.incidents == len(model.standing())


@settings(max_examples=40, deadline=None)
@given(rules=RULES, stream=STREAMS, data=st.data())
def test_it_does_not_matter_in_which_order_a_stream_is_handed_over(rules, stream, data) -> None:
    at, found = T0, list[Happening]()
    for number, (gap, one) in enumerate(stream):
        at += minutes(gap)
        found.append(happening(number, at, one, over_at=at + minutes(number % 5)))
    shuffled = data.draw(st.permutations(found))
    assert replay(shuffled, rules, EDGES).members() == replay(found, rules, EDGES).members()


def test_what_recovers_is_resolved_and_what_comes_back_reopens_or_names_the_old_one() -> None:
    found = replay(fired((0, "a", "x"), (10, "a", "x"), (120, "a", "x")), Rules(), {})
    assert [p.group for p in found.placed] == [1, 1, 2]
    assert found.groups[2].recurrence_of == 1
    assert found.groups[1].state is State.CLOSED
    assert not found.groups[1].flapped


def test_what_comes_and_goes_is_flapping_and_stays_one() -> None:
    found = replay(fired(*((n * 2.0, "a", "x") for n in range(6))), Rules(reopen_window=timedelta(0)), {})
    assert found.incidents == 1
    assert found.groups[1].flapped


def test_repeats_are_firings_and_keep_the_window_open() -> None:
    first = happening(1, T0, reading("a"), repeats=3, last_at=T0 + minutes(14))
    second = happening(2, T0 + minutes(28), reading("b"))
    rules = Rules(strategy=Strategy.SIGNATURE)
    assert replay([first, second], rules, {}).noise_reduction == 80.0
    assert replay([replace(first, last_at=T0), second], rules, {}).incidents == 2


def test_it_tells_how_far_it_is() -> None:
    heard: list[int] = []
    replay(fired(*((n * 0.1, "a", "x") for n in range(1_100))), Rules(), {}, told=heard.append)
    assert heard == [500, 1_000]


# --- two of them -----------------------------------------------------------------------------------------------


def of(*lines: tuple[float, str, str], strategy: Strategy) -> Outcome:
    return replay(fired(*lines), Rules(strategy=strategy), {})


def test_what_would_be_joined_and_what_would_fall_apart() -> None:
    lines = ((0, "a", "x"), (1, "b", "x"), (2, "a", "y"), (40, "c", "z"))
    by_signature, by_asset = of(*lines, strategy=Strategy.SIGNATURE), of(*lines, strategy=Strategy.ASSET)
    [joined] = backtest.joined(by_signature, by_asset)
    assert ([p.happening.id for p in joined.alerts], joined.parts) == ([1, 3], 2)
    [split] = backtest.split(by_signature, by_asset)
    assert ([p.happening.id for p in split.alerts], split.parts) == ([1, 2], 2)
    assert backtest.joined(by_asset, by_asset) == backtest.split(by_asset, by_asset) == []


def test_incidents_are_counted_by_when_they_open() -> None:
    found = of((0, "a", "x"), (1, "b", "y"), (30, "c", "z"), strategy=Strategy.AUTO)
    counts = backtest.opened(found, T0, T0 + minutes(48))
    assert (counts[0], counts[15], sum(counts)) == (2, 1, 3)
    assert len(counts) == backtest.BUCKETS


# --- what is remembered ------------------------------------------------------------------------------------------


def test_what_is_remembered_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr("siems.domain.trails.MOST_NAMES", 50)
    trails, topology = Trails(), Topology({})
    for number in range(300):
        asset, signature = f"a{number % 90}", f"s{number % 70 if number % 2 else 0}"
        text = f"The mail queue{'abcdefghij'[number % 10] * 3} holds many entries"
        seen = Sighting(asset, number, T0, signature, f"f{number}")
        trails.note(seen, text, topology, minutes(15), put=dict.__setitem__, drop=dict.pop)
    for kept, most in (
        (trails.signatures, KEPT_PER_SIGNATURE), (trails.assets, KEPT_PER_ASSET), (trails.words, KEPT_PER_WORD)
    ):  # fmt: skip
        assert len(kept) <= 50
        assert max(len(found) for found in kept.values()) <= most
