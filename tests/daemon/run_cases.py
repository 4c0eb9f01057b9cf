"""Runs in the matrix of permissions: how to call their routes, and what has to be there before."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from .house import House

RUN = {"own": "RUN-1", "other": "RUN-2", "missing": "RUN-9"}
STANDING = {"own": "SA-1", "other": "SA-2", "missing": "SA-9"}
COMPANY = {"own": "comp-acme", "other": "comp-beta", "missing": "comp-nope"}
BOOK = "health-check"
RUNBOOK = "name: {}\ntitle: x\nrisk: low\nplatforms: [linux]\nsteps: [{{name: look, run: id}}]\n"
DIGEST = sha256(RUNBOOK.format("vpn").encode()).hexdigest()
LOGIN = {"username": "ops", "port": 9, "known_hosts": "* ssh-ed25519 AAAA", "secrets": {"password": "x"}}
GRANT = {"company": "{object}", "runbook": BOOK, "targets": ["web-*"], "seconds": 3_600}
HEAL = {"matchers": ["signature=high_cpu*"]}

ROWS = {
    "run runbooks, see runs":                     "✓     ✓       ✓          ·",
    "approve runs of medium risk":                "✓     ✓       ·          ·",
    "self-healing, executors":                    "✓     ·       ·          ·",
}  # fmt: skip

CASES: dict[tuple[str, str], dict[str, Any]] = {
    ("GET", "/runbooks"): {"row": "see runbooks", **COMPANY, "query": "?company={object}"},
    ("GET", "/runbooks/{name}"): {"row": "see runbooks", **COMPANY, "query": "?company={object}"},
    ("GET", "/runbooks/{name}/text"): {"row": "see runbooks", **COMPANY, "query": "?company={object}"},
    ("POST", "/runbooks"): {
        "row": "settings and keys of a company", **COMPANY,
        "body": {"company": "{object}", "text": RUNBOOK.format("another")},
    },
    ("POST", "/runbooks/{name}/approve-content"): {
        "row": "approve a runbook's content", **COMPANY, "body": {"company": "{object}", "digest": DIGEST}
    },
    ("PATCH", "/runbooks/{name}"): {
        "row": "settings and keys of a company", **COMPANY,
        "body": {"company": "{object}", "text": RUNBOOK.format("vpn") + "# more"},
    },
    ("DELETE", "/runbooks/{name}"): {
        "row": "settings and keys of a company", **COMPANY, "body": {"company": "{object}"}
    },
    ("GET", "/runs"): {"row": "run runbooks, see runs"},
    ("POST", "/runs"): {
        "row": "run runbooks, see runs", **COMPANY,
        "body": {"company": "{object}", "runbook": BOOK, "hosts": ["web-server-01"], "request_approval": True},
    },
    ("GET", "/runs/{ref}"): {"row": "run runbooks, see runs", **RUN},
    ("GET", "/runs/{ref}/output"): {"row": "run runbooks, see runs", **RUN},
    ("GET", "/runs/{ref}/commands"): {"row": "run runbooks, see runs", **RUN},
    ("POST", "/runs/{ref}/actions/approve"): {"row": "approve runs of medium risk", **RUN, "body": {}},
    ("POST", "/runs/{ref}/actions/reject"): {
        "row": "approve runs of medium risk", **RUN, "body": {"reason": "x"}, "ok": (409,),
    },
    ("POST", "/runs/{ref}/actions/cancel"): {"row": "run runbooks, see runs", **RUN, "body": {}, "ok": (200, 409)},
    ("POST", "/runs/{ref}/actions/answer"): {
        "row": "run runbooks, see runs", **RUN, "body": {"answer": "retry", "hosts": ["web-server-01"]}, "ok": (409,),
    },
    ("POST", "/runs/{ref}/actions/rollback"): {"row": "run runbooks, see runs", **RUN, "body": {}, "ok": (409,)},
    ("GET", "/standing-approvals"): {"row": "run runbooks, see runs", **COMPANY, "query": "?company={object}"},
    ("POST", "/standing-approvals"): {"row": "self-healing, executors", **COMPANY, "body": GRANT},
    ("DELETE", "/standing-approvals/{ref}"): {"row": "self-healing, executors", **STANDING, "body": {}},
    ("GET", "/self-healing"): {"row": "run runbooks, see runs", **COMPANY, "query": "?company={object}"},
    ("PUT", "/companies/{ref}/self-healing/{name}"): {"row": "self-healing, executors", **COMPANY, "body": HEAL},
    ("DELETE", "/companies/{ref}/self-healing/{name}"): {"row": "self-healing, executors", **COMPANY, "body": {}},
    ("GET", "/companies/{ref}/run-rule"): {"row": "run runbooks, see runs", **COMPANY},
    ("PUT", "/companies/{ref}/run-rule"): {"row": "self-healing, executors", **COMPANY, "body": {"medium": "high"}},
    ("GET", "/host-logins"): {"row": "self-healing, executors", **COMPANY, "query": "?company={object}"},
    ("PUT", "/companies/{ref}/logins/{executor}"): {"row": "self-healing, executors", **COMPANY, "body": LOGIN},
    ("DELETE", "/companies/{ref}/logins/{executor}"): {"row": "self-healing, executors", **COMPANY, "body": {}},
}  # fmt: skip


def named(path: str) -> str:
    """The path with the names that are not the object's."""
    return path.replace("self-healing/{name}", f"self-healing/{BOOK}").replace("{executor}", "ssh")


async def populate(house: House) -> None:
    """RUN-1 and SA-1 are Acme's, those with 2 are Beta's; nobody has approved a run yet, and no host is reached."""
    for company in ("comp-acme", "comp-beta"):
        asset = {"addresses": ["127.0.0.1"], "platform": "linux"}
        assert (await house.ask("root", "PATCH", f"/companies/{company}/assets/web-server-01", asset)).status == 200
        assert (await house.ask("root", "PUT", f"/companies/{company}/logins/ssh", LOGIN)).status == 200
        heal = await house.ask("root", "PUT", f"/companies/{company}/self-healing/{BOOK}", HEAL)
        assert heal.status == 200, heal
        ask = {"company": company, "runbook": BOOK, "hosts": ["web-server-01"], "request_approval": True}
        reply = await house.ask("third", "POST", "/runs", ask)
        assert reply.status == 201, reply
        grant = GRANT | {"company": company, "targets": ["elsewhere"]}
        assert (await house.ask("root", "POST", "/standing-approvals", grant)).status == 201
