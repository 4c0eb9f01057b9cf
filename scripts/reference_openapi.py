"""The OpenAPI document, made from the table of routes, what their code reads, and the shapes of `siems.wire`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from siems import __version__

REF = "#/components/schemas/{name}"
PLAIN = ("livez", "readyz")
_PROBLEM = {"description": "why not, and what to do", "content": {
    "application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}
}}  # fmt: skip
_ADDRESS = {"name": "source", "in": "path", "required": True, "schema": {"type": "string"}}
_KEY = {"name": "api_key", "in": "query", "required": False, "schema": {"type": "string"}}

Route = tuple[str, str, Callable[..., Any]]
Asked = Callable[[Callable[..., Any]], tuple[str, list[str]]]


def openapi(
    routes: Iterable[Route], asked: Asked, answers: Mapping[str, tuple[str, str]], shapes: Mapping[str, type]
) -> str:
    """The document as JSON: every route for people who are logged in, sessions, health, and the webhook."""
    names = list(shapes)
    _, found = msgspec.json.schema_components(list(shapes.values()), ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for method, path, handler in routes:
        what, said = answers[handler.__name__]
        body, words = asked(handler)
        paths.setdefault(f"/api/v1{path}", {})[method.lower()] = {
            "operationId": handler.__name__, "summary": re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", what),
            "security": [{"token": []}],
            **_parameters(path, words),
            **_body(method, body if body in shapes else ""),
            "responses": {"2XX": _answer(said, shapes), "default": {"$ref": "#/components/responses/Problem"}},
        }  # fmt: skip
    for name, ask, answer in (("login", "LoginAsk", "TokenPair"), ("refresh", "RefreshAsk", "TokenPair"),
                              ("logout", "RefreshAsk", "")):  # fmt: skip
        paths[f"/api/v1/auth/{name}"] = {"post": _plain(name, answer, shapes) | _body("POST", ask)}
    for name in PLAIN:
        paths[f"/{name}"] = {"get": _plain(name, "", shapes)}
    paths["/api/webhooks/{source}"] = {"post": _webhook(shapes)}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "siems", "version": __version__, "license": {"name": "see LICENSE"}},
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {name: found[name] for name in sorted(found)},
            "responses": {"Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
    assert set(names) & set(found)
    return json.dumps(document, indent=1, sort_keys=False) + "\n"


def _parameters(path: str, words: list[str]) -> dict[str, Any]:
    within = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
              for name in re.findall(r"{(\w+)}", path)]  # fmt: skip
    behind = [{"name": word, "in": "query", "required": False,
               "schema": {"type": "integer", "minimum": 0} if word == "limit" else {"type": "string"}}
              for word in dict.fromkeys(words)]  # fmt: skip
    return {"parameters": within + behind} if within or behind else {}


def _body(method: str, shape: str) -> dict[str, Any]:
    if not shape or method == "GET":
        return {}
    schema = {"$ref": REF.format(name=shape)}
    return {"requestBody": {"required": False, "content": {"application/json": {"schema": schema}}}}


def _answer(said: str, shapes: Mapping[str, type]) -> dict[str, Any]:
    """`X`, `Page of X`, `items: X`; anything else is an object."""
    match = re.fullmatch(r"(Page of |items: )?(\w+)", said)
    schema: dict[str, Any] = {"type": "object"}
    if match and match[2] in shapes:
        one = {"$ref": REF.format(name=match[2])}
        items = {"items": {"type": "array", "items": one}}
        page = {"next": {"type": ["string", "null"]}, "total": {"type": "integer"},
                "as_of": {"type": "string", "format": "date-time"}}  # fmt: skip
        match match[1]:
            case "Page of ":
                schema = {"type": "object", "required": [*items, *page], "properties": items | page}
            case "items: ":
                schema = {"type": "object", "required": ["items"], "properties": items}
            case _:
                schema = one
    return {"description": "done", "content": {"application/json": {"schema": schema}}}


def _plain(name: str, shape: str, shapes: Mapping[str, type]) -> dict[str, Any]:
    done = _answer(shape, shapes)
    return {"operationId": name, "responses": {"2XX": done, "default": {"$ref": "#/components/responses/Problem"}}}


def _webhook(shapes: Mapping[str, type]) -> dict[str, Any]:
    return {
        "operationId": "receive", "summary": "alerts of a tool; `alerts` takes siems' own JSON",
        "parameters": [_ADDRESS, _KEY], "requestBody": {"required": True, "content": {"application/json": {}}},
        "responses": {
            "202": {"description": "on disk", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }  # fmt: skip
