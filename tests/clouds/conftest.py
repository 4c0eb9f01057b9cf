"""An AWS of our own: moto, and a Systems Manager that can list what has its agent, which moto cannot."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from siems.config import Aws

REGION = "eu-west-1"
UBUNTU, WINDOWS = "ami-1e749f67", "ami-12c6146b"
AGENTS = "AmazonSSM.DescribeInstanceInformation"


@dataclass
class Cloud:
    """An endpoint that answers as AWS does. `agents` is what Systems Manager lists; None: it refuses."""

    url: str = ""
    agents: list[dict[str, Any]] | None = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.client(service, region_name=region, endpoint_url=self.url)

    def run(self, *names: str, region: str = REGION, image: str = UBUNTU) -> list[dict[str, Any]]:
        """Instances with these names; "" for one without a tag."""
        found = []
        for name in names:
            tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}] if name else []
            made = self.client("ec2", region).run_instances(
                ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=tags
            )
            found += made["Instances"]
        return found

    def settings(self, **more: Any) -> Aws:
        return Aws(**({"endpoint_url": self.url, "regions": REGION} | more))

    def answer(self, moto: Callable[..., Iterable[bytes]], environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """Everything but the list of agents is moto's."""
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        self.asked.append(target)
        if target != AGENTS:
            return moto(environ, start)
        said: dict[str, Any] = {"InstanceInformationList": self.agents}
        status = "200 OK"
        if self.agents is None:
            status, said = "400 Bad Request", {"__type": "AccessDeniedException", "message": "no"}
        body = json.dumps(said).encode()
        start(status, [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))])
        return [body]


@contextmanager
def serving(made: Cloud) -> Iterator[None]:
    """An empty AWS for as long as it is needed."""
    moto = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, lambda environ, start: made.answer(moto, environ, start), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    urlopen(Request(f"{made.url}/moto-api/reset", method="POST"), timeout=10).close()
    made.asked.clear()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Empty, and with credentials for it in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    made = Cloud()
    with serving(made):
        yield made
