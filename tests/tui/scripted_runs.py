"""The half of the daemon in memory that knows runbooks and their runs."""

from __future__ import annotations

import queue
from datetime import timedelta
from typing import Any

import msgspec
from streamed import NOW

from siems import errors, wire

SCRIPT = "export SIEMS_SERVICE='vpn'\nset -u\nif true; then\n  clear ipsec sa peer 198.51.100.7\nfi\n"
PHASES = ("precheck", "steps", "verify")
STEPS = ("check carrier", "bounce tunnel", "verify")


def commands() -> list[wire.RunCommand]:
    return [
        wire.RunCommand(phase=phase, step=step, shell="sh", script=SCRIPT, timeout_seconds=600)
        for phase, step in zip(PHASES, STEPS, strict=True)
    ]


def step(number: int, state: str = "succeeded", *, ago: int = 60, code: int | None = 0) -> wire.RunStepView:
    began = NOW - timedelta(seconds=ago)
    over = state not in ("running", "waiting")
    return wire.RunStepView(
        number=number, phase=PHASES[number - 1], name=STEPS[number - 1], state=state, exit_code=code if over else None,
        detail="", started_at=began, ended_at=began + timedelta(seconds=5) if over else None,
    )  # fmt: skip


def host(name: str, state: str = "waiting", steps: int = 0, detail: str = "") -> wire.RunHostView:
    over = state not in ("running", "waiting", "asking", "held")
    done = [step(number, ago=60 - 10 * number) for number in range(1, steps)]
    ends = {"asking": "failed", "held": "failed"}.get(state, state)
    last = [] if not steps else [step(steps, ends, ago=60 - 10 * steps)]
    able = {"asking": ["skip", "retry", "hold", "go-on"], "held": ["skip", "retry", "go-on"]}.get(state, [])
    began = NOW - timedelta(seconds=52) if steps else None
    return wire.RunHostView(
        name=name, platform="linux", executor="ssh", state=state, phase="steps", exit_code=1605 if detail else None,
        detail=detail, started_at=began, ended_at=NOW - timedelta(seconds=4) if over and steps else None,
        output_bytes=0, steps=[*done, *last], step=steps, asked_at=NOW if able else None, actions=able,
    )  # fmt: skip


def run(number: int, state: str, hosts: list[wire.RunHostView], **fields: Any) -> wire.RunDetail:
    pending, began = state == "pending_approval", not state.startswith(("pending", "rejected", "expired"))
    over = state in ("succeeded", "failed", "cancelled", "rejected", "expired")
    count = {name: sum(one.state == name for one in hosts) for name in ("succeeded", "failed", "waiting", "running")}
    able = ["cancel"] if not over else ["rollback"] if began else []
    made: dict[str, Any] = {
        "id": f"RUN-{number}", "company_id": "comp-borealis", "company": "Borealis", "runbook": "vpn-bounce",
        "title": "Bounce the VPN tunnel", "risk": "medium", "origin": "library", "digest": "0" * 64, "state": state,
        "detail": "", "reason": "carrier is back", "incident_id": "INC-121", "rollback_of": None,
        "self_healing": False, "verified": state == "succeeded", "values": {"service": "vpn"}, "canary": 1,
        "parallel": 4, "max_failures": 1, "requested_by": "user-jon", "requested_by_name": "Jon Berg",
        "requested_at": NOW - timedelta(seconds=83), "expires_at": NOW + timedelta(seconds=528) if pending else None,
        "answered_by": None if pending else "user-priya", "answered_by_name": None if pending else "Priya Nair",
        "answered_at": None if pending else NOW - timedelta(seconds=70), "standing": "",
        "started_at": NOW - timedelta(seconds=69) if began else None,
        "ended_at": NOW - timedelta(seconds=4) if over else None, "hosts_total": len(hosts),
        "hosts_done": len(hosts) - count["waiting"] - count["running"], "hosts_succeeded": count["succeeded"],
        "hosts_failed": count["failed"], "output_bytes": 0,
        "hosts_asking": sum(one.state in ("asking", "held") for one in hosts),
        "until": NOW + timedelta(seconds=531) if began and not over else None,
        "actions": ["approve", "reject", "cancel"] if pending else able, "hosts": hosts,
    }  # fmt: skip
    return wire.RunDetail(**made | fields)


def piece(number: int, name: str, text: str, at: int = 1, *, error: bool = False) -> wire.RunPiece:
    return wire.RunPiece(
        id=number, host=name, number=at, phase=PHASES[at - 1], step=STEPS[at - 1], error=error,
        at=NOW - timedelta(seconds=60 - number), text=text,
    )  # fmt: skip


def runs() -> list[wire.RunDetail]:
    """One that waits, one that goes on with a failure, one that went well, one that was rejected."""
    pcs = [
        host("bor-pc-01", "succeeded", 3), host("bor-pc-02", "succeeded", 3), host("bor-pc-03", "running", 3),
        host("bor-pc-04", "failed", 2, "exit 1605: product not installed"), host("bor-pc-05", "running", 2),
        host("bor-pc-06"), host("bor-pc-07", "skipped", 0, "offline since 09:12"),
    ]  # fmt: skip
    gates = [host("fw-edge-01"), host("fw-edge-02")]
    good = [host("fw-edge-01", "succeeded", 3), host("fw-edge-02", "succeeded", 3)]
    mine = {"requested_by": "user-maria", "requested_by_name": "Maria Lopez"}
    return [
        run(94, "pending_approval", gates, risk="high", actions=["cancel"], **mine),
        run(93, "running", pcs, runbook="patch-rollback", title="Take a patch back", incident_id="INC-88"),
        run(91, "pending_approval", gates),
        run(90, "rejected", gates, detail="not in office hours"),
        run(88, "succeeded", good, runbook="fw-diag", title="Look at a firewall", risk="low", answered_by=None,
            answered_by_name=None, detail="all 2 hosts succeeded"),
    ]  # fmt: skip


def pieces() -> list[wire.RunPiece]:
    return [
        piece(1, "bor-pc-04", "saved 41 812 B\nwusa /uninst"), piece(2, "bor-pc-03", "waiting for winrm (try 3)\r"),
        piece(3, "bor-pc-04", "all /kb:5034122\n", 1), piece(4, "bor-pc-03", "waiting for winrm (try 4)\n"),
        piece(5, "bor-pc-04", "product not installed\n", 2, error=True),
        piece(6, "bor-pc-01", "health ok \x1b[31m[/red]\n", 3),
    ]  # fmt: skip


def book(name: str, risk: str, *, parameters: int = 2) -> wire.RunbookDetail:
    told = [
        wire.ParameterView(name="service", type="text", pattern="[a-z]+", default=None, choices=[], secret=False,
                           description="the name of the service", wants="what matches [a-z]+"),
        wire.ParameterView(name="seconds", type="integer", pattern="[0-9]+", default="5", choices=[], secret=False,
                           description="so long it has to stay up", wants="a whole number"),
    ]  # fmt: skip
    return wire.RunbookDetail(
        id=name, name=name, title=f"{name} in words", category="network", platforms=["linux"], origin="library",
        company_id="", risk=risk, declared_risk=risk, approved=True, version=0, digest="0" * 64, matches=[],
        author=None, author_name=None, changed_at=None, approved_by=None, approved_at=None, description="",
        timeout_seconds=600, parameters=told[:parameters], precheck=[], steps=[], verify=[], rollback=[], text="",
        versions=[], hides=None, warnings=[], may_approve=False,
    )  # fmt: skip


def suggestion(name: str, risk: str, fixed: int) -> wire.SuggestionView:
    return wire.SuggestionView(
        name=name, title=f"{name} in words", risk=risk, approved=True, origin="library", platforms=["linux"],
        why="vpn", fixed=fixed, command="",
    )  # fmt: skip


def asking() -> wire.RunDetail:
    """RUN-93 with a host that asks and one that somebody holds."""
    pcs = [
        host("bor-pc-01", "succeeded", 3), host("bor-pc-02", "running", 3),
        host("bor-pc-03", "held", 2, "a step failed: bounce tunnel (exit code 3)"),
        host("bor-pc-04", "asking", 2, "a step failed: bounce tunnel (exit code 1605)"), host("bor-pc-05"),
    ]  # fmt: skip
    pcs[2].answered_by_name = "Jon Berg"
    return run(93, "running", pcs, runbook="patch-rollback", incident_id="INC-88", actions=["answer", "cancel"])


class ScriptedRuns:
    """Methods of `Client` over runs that tests change."""

    calls: list[tuple[str, str, dict[str, Any]]]
    refuse: errors.SiemsError | None
    lose_answers: bool
    role: str
    stream: queue.Queue[dict[str, Any] | None]

    def _check(self) -> None:
        raise NotImplementedError

    def provide(self) -> None:
        self.run_list, self.output = runs(), pieces()
        self.books = {"vpn-bounce": book("vpn-bounce", "medium"), "fw-diag": book("fw-diag", "low", parameters=0),
                      "wipe": book("wipe", "high", parameters=0)}  # fmt: skip
        self.rehearsed: list[dict[str, Any]] = []

    def tells(self, kind: str, ref: str) -> None:
        """The stream says something of a run."""
        self.stream.put({"cursor": "3", "at": NOW.isoformat(), "type": f"run.{kind}", "company_id": "comp-borealis",
                         "object": ref, "data": {"run_id": ref}})  # fmt: skip

    def _run(self, ref: str) -> wire.RunDetail:
        found = next((one for one in self.run_list if one.id == ref), None)
        if found is None:
            raise errors.NotFound(f"no run {ref}", hint="siems runbook runs")
        return found

    def runs(self, query: str = "", *, incident: str = "", limit: int = 0, cursor: str = "") -> dict[str, Any]:
        self._check()
        if self.role == "client":
            raise errors.Forbidden("runs are not for clients")
        if "bad:" in query:
            raise errors.InvalidField("there is no field 'bad' in a query", hint="state, risk")
        wanted = [word[6:].split(",") for word in query.split() if word.startswith("state:")]
        found = [one for one in self.run_list if not incident or one.incident_id == incident]
        found = [one for one in found if all(one.state in states for states in wanted)]
        fields = wire.RunView.__struct_fields__
        items = [wire.RunView(**{name: getattr(one, name) for name in fields}) for one in found]
        return msgspec.to_builtins(wire.Page(items=items, next=None, total=len(items), as_of=NOW))

    def run(self, ref: str) -> dict[str, Any]:
        self._check()
        return msgspec.to_builtins(self._run(ref))

    def run_output(self, ref: str, *, after: int = 0, **more: Any) -> dict[str, Any]:
        self._check()
        found = [one for one in self.output if one.id > after and ref == "RUN-93"]
        return msgspec.to_builtins(
            wire.RunOutput(items=found, next=found[-1].id if found else after, over=False)
        )  # fmt: skip

    def run_commands(self, ref: str) -> list[dict[str, Any]]:
        self._check()
        return msgspec.to_builtins([wire.RunScripts(platform="linux", commands=commands())])

    def suggested_runbooks(self, ref: str) -> list[dict[str, Any]]:
        self._check()
        if self.role == "client":
            raise errors.Forbidden("runbooks are not for clients")
        return msgspec.to_builtins([suggestion("vpn-bounce", "medium", 3), suggestion("fw-diag", "low", 0)])

    def runbooks(self, *, company: str = "") -> list[dict[str, Any]]:
        self._check()
        fields = wire.RunbookView.__struct_fields__
        return msgspec.to_builtins(
            [wire.RunbookView(**{name: getattr(one, name) for name in fields}) for one in self.books.values()]
        )

    def runbook(self, name: str, *, company: str = "") -> dict[str, Any]:
        self._check()
        if name not in self.books:
            raise errors.NotFound(f"no runbook {name}", hint="siems runbook list")
        return msgspec.to_builtins(self.books[name])

    def rehearse_run(self, **ask: Any) -> dict[str, Any]:
        self._check()
        self.rehearsed.append(ask)
        found = self.books[ask["runbook"]]
        if found.parameters and not ask["values"].get("service"):
            raise errors.InvalidField("service is missing: the name of the service", hint="--var service=...")
        names = ask["hosts"] or ["fw-edge-01", "fw-edge-02"]
        needs = {"low": "", "medium": "a manager or an admin", "high": "an admin"}[found.risk]
        plan = wire.RunPlan(
            company_id="comp-borealis", company="Borealis", runbook=found.name, title=found.title, origin="library",
            risk=found.risk, approval=needs, approvers=["Priya Nair"] if needs else [], standing="",
            values=dict(ask["values"]), notes=[],
            targets=[wire.RunTarget(name=name, platform="linux", executor=ask["executor"] or "ssh", address="10.0.0.7",
                                    note="", commands=commands()) for name in names],
        )  # fmt: skip
        made = run(95, "queued", [host(name) for name in names], runbook=found.name)
        return msgspec.to_builtins(wire.RunMade(run=made, plan=plan))

    def ask_for_run(self, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        answer = self.rehearse_run(**ask)
        self.calls.append(("ask_for_run", ask["runbook"], ask))
        if self.refuse is not None:
            raise self.refuse
        risk = self.books[ask["runbook"]].risk
        state = "queued" if risk == "low" else "pending_approval"
        made = run(95, state, [host(one["name"]) for one in answer["run"]["hosts"]], runbook=ask["runbook"], risk=risk,
                   actions=["cancel"], requested_by="user-maria", requested_by_name="Maria Lopez")  # fmt: skip
        self.run_list.insert(0, made)
        return answer | {"run": msgspec.to_builtins(made)}

    def answer_run(
        self, ref: str, answer: str, hosts: list[str], *, reason: str = "", idempotency_key: str = ""
    ) -> dict[str, Any]:  # fmt: skip
        self._check()
        self.calls.append((answer, ref, {"hosts": hosts, "reason": reason}))
        if self.refuse is not None:
            raise self.refuse
        before = self._run(ref)
        state = {"retry": "running", "go-on": "running", "skip": "skipped", "hold": "held"}[answer]
        moved = [msgspec.structs.replace(one, state=state, actions=[] if state != "held" else ["retry"])
                 if one.name in hosts else one for one in before.hosts]  # fmt: skip
        asking = sum(one.state in ("asking", "held") for one in moved)
        made = msgspec.structs.replace(
            before, state="running", hosts=moved, hosts_asking=asking,
            actions=["answer", "cancel"] if asking else ["cancel"],
        )  # fmt: skip
        self.run_list[self.run_list.index(before)] = made
        return msgspec.to_builtins(wire.RunChanged(run=made, changed=True))

    def change_run(self, action: str, ref: str, *, idempotency_key: str = "", **ask: Any) -> dict[str, Any]:
        self._check()
        self.calls.append((action, ref, ask))
        if self.refuse is not None:
            raise self.refuse
        before = self._run(ref)
        if action == "rollback":
            made = run(96, "queued", before.hosts, runbook=before.runbook, rollback_of=ref, actions=["cancel"])
            self.run_list.insert(0, made)
        else:
            state = {"approve": "queued", "reject": "rejected", "cancel": "cancelling"}[action]
            made = msgspec.structs.replace(
                before, state=state, actions=[], expires_at=None, detail=ask.get("reason", "")
            )
            self.run_list[self.run_list.index(before)] = made
        return msgspec.to_builtins(wire.RunChanged(run=made, changed=True))
