"""The API against its own document: no request that the document allows, or nearly allows, is an error of ours."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from siems.daemon.http.api import OPENAPI

from .journal import Victim, alert

pytestmark = [pytest.mark.faults, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

EACH = int(os.environ.get("FAULTS_REQUESTS", "25"))
SCHEMA = schemathesis.openapi.from_dict(json.loads(OPENAPI.read_text()))
OPERATIONS = {f"{one.ok().method.upper()} {one.ok().path}": one.ok() for one in SCHEMA.get_all_operations()}
NOT_HERE = ("import/aws", "/livez", "/readyz")
"""What goes out to others, and what has nothing to vary."""
REAL = {
    "ref": ["INC-1", "ALR-1", "comp-acme", "int-acme-generic-1", "SIL-1", "user-root", "generic", "HB-1"],
    "action": ["ack", "note", "hold", "resolve", "reopen", "undo"], "name": ["a", "web-1"],
}  # fmt: skip


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("openapi")
    shutil.copy(sqlite_template, folder / "siems.db")
    made = Victim(folder / "home", str(folder / "siems.db"))
    made.set_up()
    made.start()
    company = made.onboard()
    assert made.request(*alert(company, "first", delivery="first"))[0] == 202
    yield made
    made.kill()


def test_the_document_is_served_as_it_was_made(victim: Victim) -> None:
    assert victim.request("GET", "/api/v1/openapi.json") == (200, json.loads(OPENAPI.read_text()))


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", [name for name in OPERATIONS if not name.endswith(NOT_HERE)])
def test_no_request_is_an_error_of_ours(victim: Victim, name: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[name]
    cases = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=EACH, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases, data=st.data())
    def work(case: Any, data: st.DataObject) -> None:
        for parameter, values in REAL.items():
            if parameter in (case.path_parameters or {}) and data.draw(st.booleans()):
                case.path_parameters[parameter] = data.draw(st.sampled_from(values))
        status, answer = sent(victim, case)
        assert status < 500, (name, status, answer)

    work()


def sent(victim: Victim, case: Any) -> tuple[int, Any]:
    """(status, answer) of a case, as the admin asks."""
    ask = case.as_transport_kwargs(base_url=f"http://127.0.0.1:{victim.port}")
    import requests

    headers = dict(ask.pop("headers") or {}) | {"Authorization": f"Bearer {victim.token}"}
    try:
        prepared = requests.Request(headers=headers, **ask).prepare()
    except (requests.RequestException, ValueError, UnicodeError):
        return 0, "no request can be made of it"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.send(prepared, timeout=30, allow_redirects=False)
        return answer.status_code, answer.text[:500]
