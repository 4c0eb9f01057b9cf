"""What depends on what: how far up a cause is looked for, and which assets hang together."""

from __future__ import annotations

from siems.domain.topology import MOST_ABOVE, Topology

EDGES = {"web": ("app",), "app": ("db", "cache"), "db": ("host",), "host": ("switch",)}


def test_what_is_above_is_counted_in_steps_up_to_the_third() -> None:
    above = Topology(EDGES).above
    assert above("web") == {"app": 1, "db": 2, "cache": 2, "host": 3}
    assert above("switch") == {}
    assert above("elsewhere") == {}


def test_what_others_depend_on_is_known_as_well() -> None:
    topology = Topology(EDGES)
    assert topology.knows("switch")
    assert topology.knows("web")
    assert not topology.knows("printer")


def test_what_is_connected_is_one_system() -> None:
    topology = Topology({**EDGES, "mail": ("mail-db",)})
    assert topology.system("web") == topology.system("switch")
    assert topology.system("web") != topology.system("mail")
    assert topology.system("printer") is None


def test_a_graph_without_end_is_looked_at_to_a_bound() -> None:
    everything = {f"a{n}": tuple(f"a{m}" for m in range(500) if m != n) for n in range(500)}
    assert len(Topology(everything).above("a0")) <= MOST_ABOVE
    assert Topology({"a": ("b",), "b": ("a",)}).above("a") == {"b": 1}
