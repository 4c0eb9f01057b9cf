"""Parsing Python without a garbage collection in the middle of it.

Before 3.12 `ast.parse` counts its depth in a place that all of a process share (CPython 106905). A collection that
finds a task whose exception nobody has seen formats a traceback, which parses, and the parsing that was interrupted
fails with a SystemError: in a long run of tests that happens now and then, to whoever parses at that moment.
"""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any


def undisturbed(parse: Callable[..., ast.AST]) -> Callable[..., ast.AST]:
    """The same function, during which nothing is collected."""

    @wraps(parse)
    def parsing(*given: Any, **named: Any) -> ast.AST:
        collects = gc.isenabled()
        gc.disable()
        try:
            return parse(*given, **named)
        finally:
            if collects:
                gc.enable()

    return parsing


def install() -> None:
    """From now on everybody in this process parses like this, where it is needed."""
    if sys.version_info < (3, 12):
        ast.parse = undisturbed(ast.parse)  # type: ignore[assignment]
