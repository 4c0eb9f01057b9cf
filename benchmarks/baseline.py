"""The handler that every rate is compared with: same loop, same HMAC, same parsing; answers 202 and stores nothing.

`python -m benchmarks.baseline` reads the senders as JSON on standard input and writes its port on standard output.
"""

from __future__ import annotations

import asyncio
import gc
import hmac
import json
import sys

import msgspec
import uvloop
from aiohttp import web

_decode = msgspec.json.Decoder().decode
ANSWER = b'{"message":"accepted","alert_id":"ALR-1","incident_id":"INC-1","duplicate":false,"warnings":[]}'


def make_app(secrets: dict[str, bytes]) -> web.Application:
    """One route."""

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        headers = request.headers
        secret = secrets[headers["X-API-Key"]]
        wanted = hmac.digest(secret, headers["X-Timestamp"].encode() + b"." + body, "sha256").hex()
        if not hmac.compare_digest(f"sha256={wanted}", headers["X-Signature"]):
            return web.Response(status=401)
        _decode(body)
        return web.Response(body=ANSWER, status=202, content_type="application/json")

    app = web.Application()
    app.router.add_post("/api/webhooks/{source}", receive)
    return app


async def serve(secrets: dict[str, bytes]) -> None:
    runner = web.AppRunner(make_app(secrets), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main() -> None:
    senders = json.loads(sys.stdin.readline())
    gc.set_threshold(50_000, 50, 50)  # as the daemon does
    uvloop.run(serve({sender["key"]: sender["secret"].encode() for sender in senders}))


if __name__ == "__main__":
    main()
