"""What AWS lists, asked over HTTP as it is."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from siems.clouds import aws
from siems.errors import Conflict, InvalidField, Unavailable

from .conftest import REGION, WINDOWS, Cloud


def test_instances_are_told_with_name_addresses_platform_and_account(cloud: Cloud) -> None:
    [web, nameless] = cloud.run("web-01", "")
    found = aws.inventory(cloud.settings())
    assert [i.name for i in found.instances] == ["", "web-01"]
    one = found.instances[1]
    assert (one.id, one.account, one.platform) == (web["InstanceId"], "123456789012", "linux")
    assert one.addresses[0] == web["PrivateIpAddress"]
    assert len(one.addresses) == 2, "the public one, too"
    assert found.instances[0].id == nameless["InstanceId"]
    assert (found.origin, found.warnings) == (f"aws {REGION}", ())


def test_windows_is_told_apart(cloud: Cloud) -> None:
    cloud.run("dc-01", image=WINDOWS)
    assert [(i.name, i.platform) for i in aws.inventory(cloud.settings()).instances] == [("dc-01", "windows")]


def test_what_is_gone_is_not_told(cloud: Cloud) -> None:
    [old, _] = cloud.run("old-01", "new-01")
    cloud.client("ec2").terminate_instances(InstanceIds=[old["InstanceId"]])
    assert [i.name for i in aws.inventory(cloud.settings()).instances] == ["new-01"]


def test_more_regions_than_one(cloud: Cloud) -> None:
    cloud.run("here")
    cloud.run("there", region="us-east-1")
    assert [i.name for i in aws.inventory(cloud.settings(regions="eu-west-1, us-east-1")).instances] == [
        "here", "there",
    ]  # fmt: skip
    assert [i.name for i in aws.inventory(cloud.settings(), regions=["us-east-1"]).instances] == ["there"]


def test_systems_manager_adds_platforms_and_machines_outside(cloud: Cloud) -> None:
    [web] = cloud.run("web-01")
    cloud.agents = [
        {"InstanceId": web["InstanceId"], "PlatformType": "Windows", "ComputerName": "WEB01", "IPAddress": "10.9.9.9"},
        {"InstanceId": "mi-0123456789abcdef", "PlatformType": "Linux", "Name": "rack-7", "IPAddress": "10.8.8.8"},
    ]  # fmt: skip
    rack, one = aws.inventory(cloud.settings()).instances
    assert (one.name, one.platform, one.addresses[-1]) == ("web-01", "windows", "10.9.9.9")
    assert (rack.id, rack.name, rack.platform) == ("mi-0123456789abcdef", "rack-7", "linux")
    assert rack.addresses == ("10.8.8.8",)


def test_without_systems_manager_there_is_a_warning_and_the_rest(cloud: Cloud) -> None:
    cloud.run("web-01")
    cloud.agents = None
    found = aws.inventory(cloud.settings())
    assert [i.name for i in found.instances] == ["web-01"]
    [warning] = found.warnings
    assert "ssm:DescribeInstanceInformation" in warning
    assert "AccessDenied" in warning


def test_a_role_is_taken_on_with_its_external_id(cloud: Cloud) -> None:
    cloud.run("web-01")
    settings = cloud.settings(role="arn:aws:iam::123456789012:role/siems", external_id="an-external-id")
    assert [i.name for i in aws.inventory(settings).instances] == ["web-01"]


def test_without_credentials_the_next_step_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Conflict, match="no credentials") as refused:
        aws.inventory(cloud.settings())
    assert "[aws]" in refused.value.hint
    with pytest.raises(Conflict, match="nobody"):
        aws.inventory(cloud.settings(profile="nobody"))


def test_what_is_no_region_is_refused_before_anybody_is_asked(cloud: Cloud) -> None:
    for wrong in ("nowhere", "eu-west-1.attacker.example/", "EU-WEST-1"):
        with pytest.raises(InvalidField, match="no region of AWS"):
            aws.inventory(cloud.settings(), regions=[wrong])
    with pytest.raises(InvalidField, match="which region"):
        aws.inventory(cloud.settings(regions=""))
    assert cloud.asked == []


def test_an_endpoint_that_does_not_answer_is_unavailable(cloud: Cloud) -> None:
    from house import free_port

    with pytest.raises(Unavailable, match="does not answer"):
        aws.inventory(cloud.settings(endpoint_url=f"http://127.0.0.1:{free_port()}"))


def test_the_page_of_a_proxy_is_no_answer_of_aws(cloud: Cloud) -> None:
    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html><p>Please log in<br></html>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            with pytest.raises(Unavailable, match="no answer of AWS"):
                aws.inventory(cloud.settings(endpoint_url=f"http://127.0.0.1:{proxy.server_port}"))
        finally:
            proxy.shutdown()
