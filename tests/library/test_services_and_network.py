"""Runbooks about services, containers, databases and the network; the servers they ask are real where one can be."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from sqlalchemy.engine import URL

from house import free_port
from siems.domain.runbook import Phase

from .scratch import Scratch

SYSTEMCTL = """
unit=$(for last; do :; done; echo "$last")
state=$(cat "$KEPT/$unit" 2>/dev/null)
case $1 in
  show) case $2 in
      --property=Version) echo Version=252 ;;
      --property=LoadState) if [ -n "$state" ]; then echo LoadState=loaded; else echo LoadState=not-found; fi ;;
      --property=MainPID) [ ! -e "$KEPT/crashes" ] || date +%N > "$KEPT/pid"
        echo "MainPID=$(cat "$KEPT/pid" 2>/dev/null)" ;;
    esac ;;
  is-active) [ "$state" = active ] ;;
  restart|start) [ ! -e "$KEPT/broken" ] || { echo failed > "$KEPT/$unit"; exit 1; }; echo active > "$KEPT/$unit" ;;
  status) echo "$unit: its last words" ;;
esac
"""
OPENRC = """
case $1 in -e) [ -e "$KEPT/$2" ]; exit ;; esac
case $2 in status) [ "$(cat "$KEPT/$1")" = active ] ;; restart|start) echo active > "$KEPT/$1" ;; esac
"""


def systemd(host: Scratch, **units: str) -> None:
    host.stand_in("systemctl", SYSTEMCTL)
    for unit, state in units.items():
        (host.kept / unit).write_text(f"{state}\n")


QUICK = {"service": "vpn", "settle_seconds": "0"}


def test_a_service_is_restarted_and_watched(host: Scratch) -> None:
    systemd(host, vpn="active")
    assert "vpn runs" in host.well("restart-service", Phase.PRECHECK, QUICK)
    assert "was restarted" in host.well("restart-service", Phase.STEPS, QUICK)
    assert "restart vpn" in host.asked("systemctl")
    assert "has run for" in host.well("restart-service", Phase.VERIFY, QUICK)
    assert "vpn runs" in host.well("restart-service", Phase.ROLLBACK, QUICK)


def test_a_service_that_falls_over_at_once_is_a_failure(host: Scratch) -> None:
    systemd(host, vpn="active")
    (host.kept / "crashes").touch()
    said = host.ill("restart-service", Phase.VERIFY, QUICK)
    assert "does not stay up" in said
    assert "its last words" in said


def test_a_service_that_cannot_be_restarted_shows_its_last_words_and_is_started_by_the_rollback(host: Scratch) -> None:
    systemd(host, vpn="active")
    (host.kept / "broken").touch()
    assert "its last words" in host.ill("restart-service", Phase.STEPS, QUICK)
    assert "does not run" in host.ill("restart-service", Phase.VERIFY, QUICK)
    (host.kept / "broken").unlink()
    host.well("restart-service", Phase.ROLLBACK, QUICK)
    assert host.asked("systemctl")[-1] == "start vpn"
    host.well("restart-service", Phase.VERIFY, QUICK)


@pytest.mark.parametrize(("name", "why"), [("gone", "there is no service"), ("dbus", "cannot do without")])
def test_what_is_not_there_or_must_not_stop_is_refused(host: Scratch, name: str, why: str) -> None:
    systemd(host, dbus="active")
    assert why in host.ill("restart-service", Phase.PRECHECK, QUICK | {"service": name})


def test_openrc_and_nothing_at_all(host: Scratch) -> None:
    assert "nothing here starts services" in host.ill("restart-service", Phase.PRECHECK, QUICK)
    host.stand_in("rc-service", OPENRC)
    (host.kept / "vpn").write_text("stopped\n")
    assert "does not run" in host.well("restart-service", Phase.PRECHECK, QUICK)
    host.well("restart-service", Phase.STEPS, QUICK)
    assert "vpn restart" in host.asked("rc-service")
    host.well("restart-service", Phase.VERIFY, QUICK)


# --- web servers -------------------------------------------------------------------------------------------------


class Answers(BaseHTTPRequestHandler):
    """What the server of a test says: a status for everything, or the metadata of an instance."""

    status = 200
    token = "t0k"
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        known = {"instance-id": "i-0abc", "instance-type": "t3.micro", "local-ipv4": "10.0.0.5"}
        key = self.path.removeprefix("/latest/meta-data/")
        if self.path.startswith("/latest/"):
            allowed = self.headers.get("X-aws-ec2-metadata-token") == self.token
            self._say(200 if allowed and key in known else 404 if allowed else 401, known.get(key, ""))
        else:
            self._say(self.status, "hello")

    def do_PUT(self) -> None:
        type(self).asked.append(f"PUT {self.path}")
        self._say(200, self.token)

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[tuple[str, type[Answers]]]:
    """(the address of a small web server, what it says)."""
    kind = type("Said", (Answers,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", kind
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("tool", ["curl", "wget"])
def test_a_web_server_is_tested_restarted_and_asked_for_a_page(
    host: Scratch, page: tuple[str, type[Answers]], tool: str
) -> None:
    url, answers = page
    given = {"url": f"{url}/health"}
    systemd(host, nginx="active", apache2="inactive")
    host.stand_in("nginx", '[ ! -e "$KEPT/wrong" ] || { echo "unknown directive" >&2; exit 1; }')
    host.has(tool)
    assert "nginx runs" in host.well("restart-web-server", Phase.PRECHECK, given)
    host.well("restart-web-server", Phase.STEPS, given)
    assert "restart nginx" in host.asked("systemctl")
    assert f"{url}/health answers 200" in host.well("restart-web-server", Phase.VERIFY, given)
    answers.status = 404
    assert "answers 404" in host.well("restart-web-server", Phase.VERIFY, given)
    answers.status = 502
    said = host.ill("restart-web-server", Phase.VERIFY, given)
    assert "answers 502" in said
    assert "its last words" in said


def test_a_broken_configuration_stops_the_restart_before_it_begins(host: Scratch) -> None:
    systemd(host, nginx="active")
    host.stand_in("nginx", 'echo "unknown directive" >&2; exit 1')
    assert "unknown directive" in host.ill("restart-web-server", Phase.PRECHECK)
    assert not any(words.startswith("restart") for words in host.asked("systemctl"))


def test_of_two_servers_the_one_that_runs_is_meant_and_apache_can_be_named(host: Scratch) -> None:
    systemd(host, nginx="inactive", apache2="active")
    host.stand_in("apache2ctl", "echo 'Syntax OK'")
    assert "apache2 runs" in host.well("restart-web-server", Phase.PRECHECK)
    host.stand_in("nginx", "exit 0")
    assert "nginx does not run" in host.well("restart-web-server", Phase.PRECHECK, {"server": "nginx"})
    host.well("restart-web-server", Phase.ROLLBACK, {"server": "nginx"})
    assert host.asked("systemctl")[-1] == "start nginx"
    systemd(host)
    (host.kept / "nginx").unlink()
    assert "neither nginx nor Apache" in host.ill("restart-web-server", Phase.PRECHECK, {"server": "nginx"})


# --- containers --------------------------------------------------------------------------------------------------

DOCKER = """
for last; do :; done
case "$1 $2" in
  "container inspect")
    [ -e "$KEPT/c-$last" ] || exit 1
    case "$*" in *--format*) echo "$(cat "$KEPT/c-$last") $(cat "$KEPT/health" 2>/dev/null || echo none)" ;; esac ;;
  "restart -t"|"start $last") echo "running $(date +%s%N)" > "$KEPT/c-$last" ;;
  "logs --tail") echo "its last words" ;;
  "ps -a") echo "$last" ;;
esac
"""
BOX = {"container": "shop", "settle_seconds": "0"}


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_container_is_restarted_and_watched(host: Scratch, engine: str) -> None:
    host.stand_in(engine, DOCKER)
    (host.kept / "c-shop").write_text("exited 1\n")
    host.well("restart-container", Phase.PRECHECK, BOX)
    assert "does not stay up" in host.ill("restart-container", Phase.VERIFY, BOX)
    assert "was restarted" in host.well("restart-container", Phase.STEPS, BOX)
    assert "restart -t 10 shop" in host.asked(engine)
    assert "health: none" in host.well("restart-container", Phase.VERIFY, BOX)
    (host.kept / "health").write_text("unhealthy\n")
    said = host.ill("restart-container", Phase.VERIFY, BOX)
    assert "shop is unhealthy" in said
    assert "its last words" in said
    host.well("restart-container", Phase.ROLLBACK, BOX)
    assert host.asked(engine)[-1] == "start shop"


def test_what_docker_is_asked_is_a_template_of_its_own(host: Scratch) -> None:
    host.stand_in("docker", DOCKER)
    (host.kept / "c-shop").write_text("running 1\n")
    host.well("restart-container", Phase.VERIFY, BOX)
    [asked, *_] = [words for words in host.asked("docker") if "--format" in words]
    health = "{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"
    assert f"{{{{.State.Status}}}} {{{{.State.StartedAt}}}} {health} shop" in asked


def test_a_container_or_an_engine_that_is_not_there(host: Scratch) -> None:
    assert "neither docker nor podman" in host.ill("restart-container", Phase.PRECHECK, BOX)
    host.stand_in("docker", DOCKER)
    assert "there is no container shop (asked: docker)" in host.ill("restart-container", Phase.PRECHECK, BOX)


# --- databases ---------------------------------------------------------------------------------------------------


def test_a_real_postgresql_is_asked(host: Scratch, postgres_server: URL) -> None:
    url = postgres_server
    try:
        host.has("psql", "pg_isready")
    except FileNotFoundError:
        pytest.skip("psql is not on this machine")
    socket_folder = url.query.get("host")
    host.env = {
        "PGHOST": str(url.host or socket_folder), "PGPORT": str(url.port or url.query.get("port", 5432)),
        "PGUSER": url.username or "postgres", "PGPASSWORD": url.password or "", "PGDATABASE": "postgres",
    }  # fmt: skip
    assert "postgresql" in host.well("check-database", Phase.PRECHECK)
    said = host.well("check-database", Phase.STEPS)
    assert "accepting connections" in said
    assert "PostgreSQL 1" in said
    assert "ERROR" not in said
    assert "-- who waits for whom" in said
    assert "connections in use" in host.well("check-database", Phase.VERIFY)
    host.env["PGPORT"] = "1"
    assert "PostgreSQL does not answer" in host.ill("check-database", Phase.VERIFY, {"engine": "postgresql"})


MYSQL = """
[ ! -e "$KEPT/down" ] || { echo "ERROR 2002 (HY000): Can't connect" >&2; exit 1; }
case $(cat) in
  *Threads_connected\\'*) printf 'Threads_connected\\t%s\\nmax_connections\\t100\\n' "$(cat "$KEPT/n")" ;;
  *REPLICA*) exit 1 ;;
  *SLAVE*) echo "  Seconds_Behind_Master: 7" ;;
  *version*) echo "8.0.36" ;;
esac
"""


def test_mysql_is_asked_by_its_client(host: Scratch) -> None:
    assert "neither psql nor mysql" in host.ill("check-database", Phase.PRECHECK)
    host.stand_in("mysql", MYSQL)
    (host.kept / "n").write_text("12")
    assert "no client of postgresql" in host.ill("check-database", Phase.PRECHECK, {"engine": "postgresql"})
    host.well("check-database", Phase.PRECHECK)
    said = host.well("check-database", Phase.STEPS)
    assert "8.0.36" in said
    assert "Seconds_Behind_Master: 7" in said
    assert "MySQL: 12 of 100 connections in use" in host.well("check-database", Phase.VERIFY)
    (host.kept / "n").write_text("95")
    assert "hardly any connections left" in host.ill("check-database", Phase.VERIFY)
    (host.kept / "down").touch()
    assert "MySQL does not answer" in host.ill("check-database", Phase.VERIFY, {"engine": "mysql"})


# --- the network -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["curl", "nc", "python3"])
def test_a_port_that_answers_and_one_that_does_not(host: Scratch, tool: str) -> None:
    if tool == "nc":
        host.stand_in("nc", f'[ "$5" != {free_port()} ] && [ -e "$KEPT/open-$5" ]')
    else:
        host.has(tool)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        (host.kept / f"open-{port}").touch()
        given = {"host": "127.0.0.1", "port": port}
        assert "answers on port" in host.well("network-check", Phase.VERIFY, given)
    assert "cannot be reached" in host.ill("network-check", Phase.VERIFY, given | {"port": str(free_port())})


def test_the_network_of_this_machine(host: Scratch) -> None:
    host.has("ip")
    assert "interfaces besides lo" in host.well("network-check", Phase.PRECHECK)
    said = host.well("network-check", Phase.STEPS, {"host": "localhost"})
    assert "127.0.0.1/8" in said
    assert "listen" in said
    assert "localhost" in said
    assert "neither nc, curl nor python3" in host.ill("network-check", Phase.VERIFY)


def test_a_host_without_ip_still_shows_its_routes(host: Scratch) -> None:
    said = host.well("network-check", Phase.STEPS, {"host": "localhost"})
    assert "neither ip nor ifconfig" in said
    assert "Destination" in said


# --- EC2 ---------------------------------------------------------------------------------------------------------


def test_an_instance_tells_what_it_is_and_nothing_secret_is_asked_for(
    host: Scratch, page: tuple[str, type[Answers]]
) -> None:
    url, answers = page
    host.has("curl")
    given = {"endpoint": url}
    assert "i-0abc" in host.well("ec2-metadata", Phase.PRECHECK, given)
    said = host.well("ec2-metadata", Phase.STEPS, given)
    assert "t3.micro" in said
    assert "10.0.0.5" in said
    assert answers.token not in said
    assert not any("credentials" in path or "user-data" in path for path in answers.asked)


def test_what_is_no_instance_says_so(host: Scratch) -> None:
    given = {"endpoint": f"http://127.0.0.1:{free_port()}"}
    assert "curl is missing" in host.ill("ec2-metadata", Phase.PRECHECK, given)
    host.has("curl")
    assert "this is no EC2 instance" in host.ill("ec2-metadata", Phase.PRECHECK, given)
