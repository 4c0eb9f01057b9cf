"""Libraries without what they bring for a terminal: a daemon has none, and keeps what it has once loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Modules of these names cannot be imported inside, unless they are there already; afterwards they can."""
    missing = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(missing))  # type: ignore[arg-type]  # None is how Python says: not to be had
    try:
        yield
    finally:
        for name in missing:
            sys.modules.pop(name, None)
