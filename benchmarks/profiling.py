"""Where the time goes: the daemon's parts in this process, cProfile on the loop and on the writer thread."""

from __future__ import annotations

import asyncio
import cProfile
import gc
import json
import os
import pstats
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.servers import CONCURRENCY, HERE, cores, deliver, environment_for, onboard
from benchmarks.workload import BATCH, Alerts, seeding
from siems.clock import SystemClock
from siems.config import load
from siems.daemon.http.app import listen
from siems.daemon.main import main as daemon
from siems.daemon.runtime import Runtime
from siems.storage.vault import Vault

LINES = 45


def run(kind: str, requests: int) -> None:
    """Print the functions that cost most, per alert, once for each of the two threads."""
    with tempfile.TemporaryDirectory(prefix="siems-profile-") as home:
        os.environ.update(environment_for(home))
        reading = sys.stdin
        with open(os.devnull) as nothing:
            sys.stdin = nothing
            daemon(["init", "--admin", "bench@example.com"])
        sys.stdin = reading
        core = cores()[0]
        if core is not None:
            os.sched_setaffinity(0, {core})
        gc.set_threshold(50_000, 50, 50)
        uvloop.run(_profile(Path(home), kind, requests))


async def _profile(home: Path, kind: str, requests: int) -> None:
    settings = load()
    settings = settings.model_copy(update={"server": settings.server.model_copy(update={"port": 0})})
    runtime = Runtime(settings, SystemClock(), Vault.open(home / "config" / "secret.key"), settings.public_url)
    writer = runtime.database.writer
    profiles = {"the loop": cProfile.Profile(), "the writer": cProfile.Profile()}
    attempt, on = writer._attempt, [False]

    def profiled(batch: list[Any]) -> None:
        profile = profiles["the writer"] if on[0] else None
        if profile is None:
            attempt(batch)
        else:
            profile.runcall(attempt, batch)

    writer._attempt = profiled  # type: ignore[method-assign]
    await runtime.start()
    listening = await listen(runtime, None)
    port = listening.port
    token = (home / "config" / "token").read_text().strip()
    senders = await asyncio.to_thread(onboard, port, token)
    await asyncio.to_thread(deliver, port, seeding(senders, Alerts(0)))
    order = {
        "port": port, "kind": kind, "requests": requests, "concurrency": CONCURRENCY, "seed": 7,
        "core": cores()[1], "senders": [asdict(sender) for sender in senders],
    }  # fmt: skip
    verbs, batches = writer.sizes.sum, sum(writer.sizes.counts)
    for name in ("", *profiles):
        # one thread at a time: two profilers in turn would each measure the other's waiting
        on[0] = name == "the writer"
        cpu = time.process_time()
        if name == "the loop":
            profiles[name].enable()
        report = await _load(order | {"seed": order["seed"] + len(name)})
        profiles["the loop"].disable()
        spent = time.process_time() - cpu
        alerts = report["requests"] * (BATCH if kind in ("list", "alertmanager") else 1)
        if not name:
            each = (writer.sizes.sum - verbs) / max(1, sum(writer.sizes.counts) - batches)
            print(
                f"without profiling: {report['rate']:,.0f} requests/s, {spent / alerts * 1e6:.0f} us of CPU per alert,"
                f" {each:.1f} verbs per commit, p50 {report['p50']:.1f} ms, p99 {report['p99']:.1f} ms"
            )
            continue
        print(f"\n--- {name}: microseconds per alert ({alerts} alerts) ---")
        _show(profiles[name], alerts)
    await listening.cleanup()
    await runtime.stop()


async def _load(order: dict[str, Any]) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.generator", cwd=HERE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate(json.dumps(order).encode())
    found: dict[str, Any] = json.loads(out)
    return found


def _show(profile: cProfile.Profile, alerts: int) -> None:
    stats: Any = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    rows = [(own, total, calls, where) for where, (_, calls, own, total, _) in stats.items()]
    print(f"{'own':>7} {'total':>7} {'calls':>6}")
    for own, total, calls, (file, line, function) in sorted(rows, reverse=True)[:LINES]:
        place = function if file == "~" else f"{Path(file).parent.name}/{Path(file).name}:{line} {function}"
        print(f"{own / alerts * 1e6:7.2f} {total / alerts * 1e6:7.2f} {calls / alerts:6.2f}  {place}")
