"""Any stream of alerts: nothing is lost, repeats change nothing, the order of one instant does not matter."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from siems.domain.alert import Reading
from siems.domain.changing import replace
from siems.domain.correlation import Kind, Rules, place
from siems.vocabulary import Severity, State, Strategy

from .correlated import World
from .making import ACME, minutes, reading

READINGS = st.builds(
    reading,
    asset=st.sampled_from(["a", "b", "c", "d", "e"]),
    signature=st.sampled_from(["high_cpu", "disk_full"]),
    severity=st.sampled_from([Severity.LOW, Severity.LOW, Severity.CRITICAL]),
    tool_source=st.sampled_from(["Datadog", "Zabbix"]),
)
CAUSED = st.builds(
    reading,
    asset=st.sampled_from(["a", "b", "c", "d", "e"]),
    signature=st.sampled_from(["high_cpu", "http_5xx", "host_down", "mail sensor"]),
    message=st.sampled_from(["CPU at 95%", "The mail queue holds 7 entries now", "The mail queue holds 8 entries now"]),
)
EDGES = {"b": ("a",), "c": ("a",), "d": ("c",)}
"""For streams of `CAUSED`."""
RULES = st.builds(
    Rules,
    enabled=st.sampled_from([True, True, True, False]),
    strategy=st.sampled_from(Strategy),
    min_alerts=st.sampled_from([1, 1, 2, 3]),
)
SPANS = st.sampled_from([minutes(0), minutes(1), minutes(7), minutes(15), minutes(16), minutes(45)])
STREAMS = st.lists(st.tuples(SPANS, READINGS), max_size=25)
EVENTS = st.sampled_from(["fire", "fire", "fire", "resolve", "touch"])


CAUSED_STREAMS = st.lists(st.tuples(SPANS, CAUSED), max_size=20)


def run(
    rules: Rules, stream: list[tuple[timedelta, Reading]], events: list[str] | None = None, *,
    edges: dict[str, tuple[str, ...]] | None = None,
) -> World:  # fmt: skip
    """The world after a stream, with people who resolve and touch what stands now and then."""
    model = World(rules=rules, edges=edges or {})
    for number, (span, fired) in enumerate(stream):
        model.now += span
        model.take(fired)
        event = events[number % len(events)] if events else "fire"
        open_ = [i for i in model.standing() if model.incidents[i].open]
        if open_ and event == "resolve":
            model.resolve(open_[number % len(open_)])
        if open_ and event == "touch":
            model.touch(open_[number % len(open_)])
    return model


@settings(max_examples=100, deadline=None)
@given(rules=RULES, stream=STREAMS, events=st.lists(EVENTS, min_size=1, max_size=9))
def test_every_placement_leads_to_something_that_can_take_the_alert(rules, stream, events) -> None:
    model = World(rules=rules)
    for number, (span, fired) in enumerate(stream):
        model.now += span
        before = dict(model.incidents)
        said = model.take(fired)
        if said is None:
            continue
        assert said.evidence
        assert (said.incident_id is not None) == (said.kind in (Kind.JOIN, Kind.REOPEN))
        assert said.kind is not Kind.JOIN or before[said.incident_id].open
        assert said.kind is not Kind.REOPEN or before[said.incident_id].state is State.RESOLVED
        assert said.incident_id not in (*said.absorb, *said.link)
        assert all(before[i].open and not before[i].touched for i in said.absorb)
        assert all(before[i].open and before[i].touched for i in said.link)
        assert said.kind is not Kind.WAIT or rules.min_alerts > 1
        oldest = min((before[i].created_at for i in (*said.absorb, *said.link)), default=model.now)
        assert said.kind is not Kind.JOIN or before[said.incident_id].created_at <= oldest
        event = events[number % len(events)]
        open_ = [i for i in model.standing() if model.incidents[i].open]
        if open_ and event != "fire":
            getattr(model, event)(open_[number % len(open_)])


@settings(max_examples=80, deadline=None)
@given(rules=RULES, stream=STREAMS, events=st.lists(EVENTS, min_size=1, max_size=9))
def test_every_active_alert_is_in_exactly_one_incident_that_still_stands(rules, stream, events) -> None:
    model = run(rules, stream, events)
    for number in model.went.values():
        assert number is None or model.incidents[number].open
        assert number is None or model.incidents[number].merged_into is None
    for gone in model.incidents.values():
        if gone.merged_into is not None:
            assert not gone.touched
            assert model.incidents[gone.merged_into].created_at <= gone.created_at


@settings(max_examples=80, deadline=None)
@given(rules=RULES, stream=CAUSED_STREAMS, events=st.lists(EVENTS, min_size=1, max_size=9))
def test_what_has_one_cause_is_in_one_incident_that_stands_and_nothing_touched_is_gone(rules, stream, events) -> None:
    model = run(rules, stream, events, edges=EDGES)
    for number in model.went.values():
        assert number is None or (model.incidents[number].open and model.incidents[number].merged_into is None)
    assert not any(gone.touched for gone in model.incidents.values() if gone.merged_into is not None)
    groups = model.groups()
    for _, fired in stream:
        if model.went.get(fired.fingerprint(ACME)) is not None:
            assert model.take(fired) is None
    assert model.groups() == groups


INSTANTS = st.lists(st.tuples(SPANS, st.lists(CAUSED, min_size=1, max_size=6)), min_size=1, max_size=4)


def shuffled(data: st.DataObject, batch: list[Reading]) -> list[Reading]:
    """The same alerts in any other order; what is said of one alert twice stays in its own."""
    said: dict[str, list[Reading]] = {}
    for fired in batch:
        said.setdefault(fired.fingerprint(ACME), []).append(fired)
    return [said[fired.fingerprint(ACME)].pop(0) for fired in data.draw(st.permutations(batch))]


@settings(max_examples=200, deadline=None)
@given(rules=RULES, data=st.data(), instants=INSTANTS, cascades=st.booleans(), texts=st.booleans())
def test_the_order_of_equal_timestamps_does_not_change_the_grouping(rules, data, instants, cascades, texts) -> None:
    rules = replace(rules, cascades=cascades, texts=texts)
    one, other = World(rules=rules, edges=EDGES), World(rules=rules, edges=EDGES)
    for gap, batch in instants:
        again = shuffled(data, batch)
        for model, readings in ((one, batch), (other, again)):
            model.now += gap
            model.take_together(readings)
    assert one.groups() == other.groups()
    assert one.went == other.went
    assert one.incidents == other.incidents


@settings(max_examples=80, deadline=None)
@given(rules=RULES, data=st.data(), gaps=st.lists(st.sampled_from([minutes(0), minutes(5)]), max_size=4))
def test_without_a_graph_and_texts_not_even_the_strategy_looks_at_the_order(rules, data, gaps) -> None:
    """Also where alerts of one instant come in several bodies.

    Over one window: what is older may be refreshed by one alert of an instant and not by another. And without a
    minimum for `auto`: folding does not call in what waits under another asset.
    """
    batches = [data.draw(st.lists(READINGS, max_size=6)) for _ in gaps]
    shuffled = [data.draw(st.permutations(batch)) for batch in batches]
    fewest = 1 if rules.strategy is Strategy.AUTO else rules.min_alerts
    short = replace(rules, window=minutes(20), min_alerts=fewest)
    one, other = World(rules=short), World(rules=short)
    for gap, batch, again in zip(gaps, batches, shuffled, strict=True):
        for model, readings in ((one, batch), (other, again)):
            model.now += gap
            for fired in readings:
                model.take(fired)
    assert one.groups() == other.groups()
    assert len(one.standing()) == len(other.standing())


def test_three_assets_with_one_signature_are_one_whichever_is_heard_of_last() -> None:
    """d needs c, c needs a, a needs nothing: the last of them used to decide."""
    edges = {"c": ("a",), "d": ("c",)}
    for order in permutations("acd"):
        model = World(rules=Rules(cascades=False), edges=edges)
        for asset in order:
            model.fire(asset, "http_5xx")
        assert len(model.standing()) == 1, order


@settings(max_examples=60, deadline=None)
@given(rules=RULES, stream=STREAMS)
def test_a_stream_that_repeats_at_once_changes_nothing(rules, stream) -> None:
    model = run(replace(rules, min_alerts=1), stream)
    groups, placed = model.groups(), len(model.placements)
    for _, fired in stream:
        model.take(fired)
    assert model.groups() == groups
    assert len(model.placements) == placed


@settings(max_examples=60, deadline=None)
@given(rules=RULES, stream=STREAMS, fired=READINGS)
def test_asking_twice_gives_the_same_answer_and_changes_nothing(rules, stream, fired) -> None:
    model = run(rules, stream)
    name = fired.fingerprint(ACME)
    before = (dict(model.incidents), dict(model.keys))
    first = place(fired, name, model, rules, now=model.now)
    assert place(fired, name, model, rules, now=model.now) == first
    assert (model.incidents, model.keys) == before


@settings(max_examples=60, deadline=None)
@given(assets=st.lists(st.sampled_from("abcdefgh"), min_size=3, unique=True), tool=st.booleans())
def test_any_number_of_assets_from_three_on_is_one_incident(assets, tool) -> None:
    model = World()
    for number, asset in enumerate(assets):
        model.now += minutes(2)
        model.fire(asset, tool_source="Zabbix" if tool and number % 2 else "Datadog")
    assert model.standing() == [1]
    assert set(model.incidents[1].assets) == set(assets)
