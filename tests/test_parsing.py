"""Nothing is collected while Python is parsed, and everything is as before afterwards."""

from __future__ import annotations

import ast
import gc

import pytest

from parsing import undisturbed


def looked(source: str) -> ast.AST:
    assert not gc.isenabled()
    return ast.Module(body=[], type_ignores=[])


def failing(source: str) -> ast.AST:
    raise SyntaxError(source)


def test_a_collection_waits_until_the_end_also_of_what_fails() -> None:
    assert gc.isenabled()
    undisturbed(looked)("1")
    assert gc.isenabled()
    with pytest.raises(SyntaxError):
        undisturbed(failing)("(")
    assert gc.isenabled()
    gc.disable()
    try:
        undisturbed(looked)("1")
        assert not gc.isenabled()
    finally:
        gc.enable()
