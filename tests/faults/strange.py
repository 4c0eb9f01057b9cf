"""Bodies that no tool would send: true ones of every tool, damaged by the byte and by the value, always the same."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parents[1] / "sources" / "fixtures"
DEEP = 100_000
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, -(10**400), 1e308, -0.0, "", " ", "\x00", "a\x00b", "\u202e\x1b[2J", "\ufeff",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-03-10", "NaN", "%s%n{}{{7*7}}${x}", "x" * 70_000, [], {},
    [[[[]]]], [None], {"": ""}, {"\x00": "\x00"}, {"a": {"b": {"c": [1, {"d": 10**40}]}}}, "😀" * 300, "ﬀ" * 300,
)  # fmt: skip
RAW = (
    b"NaN", b"Infinity", b"-Infinity", b"1" * 5_000, b"-" + b"9" * 5_000, b"0." + b"1" * 5_000, b"1e400", b"1e99999999",
    b'"\\ud800"', b'"\\udfff\\ud800"', b'"\\u0000"', b'"\xff\xfe"', b'"\xed\xa0\x80"', b"[" * DEEP, b'{"a":' * DEEP,
    b"[" * 900 + b"]" * 900, b"01", b"+1", b".5", b"'x'", b"undefined", b"/* */ 1", b'"\t"', b"\x00",
)  # fmt: skip


def bodies_of_tools() -> list[tuple[str, bytes]]:
    """(tool, body) of every fixture that is JSON."""
    found = []
    for file in sorted(FIXTURES.glob("*/*.json")):
        try:
            json.loads(body := file.read_bytes())
        except ValueError:
            continue
        found.append((file.parent.name, body))
    return found


def strange(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """(tool, body), so many; the same for the same seed."""
    dice = random.Random(seed)
    seeds = bodies_of_tools()
    for _ in range(count):
        tool, body = dice.choice(seeds)
        yield tool, dice.choice(WAYS)(dice, body)


def _bytes(dice: random.Random, body: bytes) -> bytes:
    """Some bytes changed, left out, doubled or put in."""
    out = bytearray(body)
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(out)) if out else 0
        match dice.randrange(4):
            case 0:
                out[place : place + 1] = bytes([dice.randrange(256)])
            case 1:
                del out[place : place + dice.randint(1, 40)]
            case 2:
                out[place:place] = out[place : place + dice.randint(1, 40)]
            case _:
                out[place:place] = dice.randbytes(dice.randint(1, 4))
    return bytes(out)


def _values(dice: random.Random, body: bytes) -> bytes:
    """Some values replaced by those that trip programs."""
    value = json.loads(body)
    for _ in range(dice.randint(1, 3)):
        value = _replaced(dice, value, dice.choice(VALUES))
    return json.dumps(value, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")


def _replaced(dice: random.Random, value: Any, new: Any) -> Any:
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(list(value))
        return value | {key: _replaced(dice, value[key], new)}
    if isinstance(value, list) and value and dice.random() < 0.9:
        place = dice.randrange(len(value))
        return [*value[:place], _replaced(dice, value[place], new), *value[place + 1 :]]
    return new


def _raw(dice: random.Random, body: bytes) -> bytes:
    """One value written in a way that is no JSON, or hardly."""
    marks = [place for place in range(len(body) - 1) if body[place : place + 1] == b":"]
    place = dice.choice(marks) + 1 if marks else 0
    ends = [found for mark in (b",", b"}", b"]", b"\n") if (found := body.find(mark, place)) > 0]
    return body[:place] + dice.choice(RAW) + body[min(ends, default=len(body)) :]


def _twice(dice: random.Random, body: bytes) -> bytes:
    """A key that comes twice, with different values."""
    value = json.loads(body)
    if not isinstance(value, dict) or not value:
        return body + body
    key = dice.choice(list(value))
    again = json.dumps({key: dice.choice(VALUES)})[1:-1]
    return f"{json.dumps(value)[:-1]}, {again}}}".encode()


def _cut(dice: random.Random, body: bytes) -> bytes:
    return body[: dice.randrange(len(body))]


WAYS = (_bytes, _values, _values, _raw, _twice, _cut)
