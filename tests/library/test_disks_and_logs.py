"""Runbooks about disks and logs, on folders of their own."""

from __future__ import annotations

import os
import time
from pathlib import Path

from siems.domain.runbook import Phase

from .scratch import Scratch

DAY = 86_400
DF = "echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'; echo \"/dev/sda1 100 {used} 1 {used}% /\""


def put(path: Path, text: str = "x", *, days: float = 0) -> Path:
    """A file that was last touched so many days ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    then = time.time() - days * DAY
    os.utime(path, (then, then))
    return path


def full(host: Scratch, used: int) -> None:
    host.stand_in("df", DF.format(used=used))


def folders(host: Scratch) -> dict[str, str]:
    return {"temporary": f"{host.root}/tmp:{host.root}/missing", "logs": f"{host.root}/log", "path": str(host.root)}


# --- disk space --------------------------------------------------------------------------------------------------


def test_only_what_has_had_its_time_is_deleted(host: Scratch) -> None:
    full(host, 95)
    host.stand_in("apt-get", "exit 0")
    host.stand_in("journalctl", "echo 'Vacuuming done, freed 1.2G'")
    root, given = host.root, folders(host)
    old = [
        put(root / "tmp/build/a.o", days=9),
        put(root / "tmp/with spaces and\nlines", days=9),
        put(root / "tmp/-rf", days=9),
        put(root / "log/syslog.2.gz", days=30),
        put(root / "log/nginx/access.log.14", days=30),
    ]
    kept = [
        put(root / "tmp/today"),
        put(root / "tmp/.X0-lock", days=99),
        put(root / "tmp/systemd-private-abc/tmp/state", days=99),
        put(root / "log/syslog", days=99),
        put(root / "log/syslog.1.gz", days=2),
        put(root / "log/app.conf", days=99),
        put(root / "elsewhere/data", days=99),
    ]
    (root / "tmp/away").symlink_to(root / "elsewhere")
    read_lately = put(root / "tmp/read-lately", days=9)
    os.utime(read_lately, (time.time(), time.time() - 9 * DAY))

    assert "95" in host.well("clean-disk-linux", Phase.PRECHECK, given)
    said = host.well("clean-disk-linux", Phase.STEPS, given)
    assert [path for path in old if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []
    assert read_lately.exists()
    assert (root / "tmp/away").is_symlink()
    assert host.asked("apt-get") == ["clean"]
    assert host.asked("journalctl") == ["--vacuum-size=200M"]
    assert "2 rotated logs deleted" in said
    assert "there is no folder" in said

    full(host, 60)
    host.well("clean-disk-linux", Phase.VERIFY, given)
    full(host, 86)
    assert "still 86% full" in host.ill("clean-disk-linux", Phase.VERIFY, given)


def test_nothing_is_deleted_where_there_is_space(host: Scratch) -> None:
    full(host, 40)
    assert "nothing needs to be deleted" in host.ill("clean-disk-linux", Phase.PRECHECK, folders(host))
    gone = folders(host) | {"path": f"{host.root}/gone"}
    assert "there is no folder" in host.ill("clean-disk-linux", Phase.PRECHECK, gone)


def test_a_folder_that_is_a_link_is_not_followed(host: Scratch) -> None:
    full(host, 95)
    host.stand_in("apt-get", "exit 0")
    data = put(host.root / "data/precious", days=99)
    (host.root / "linked").symlink_to(host.root / "data")
    host.well("clean-disk-linux", Phase.STEPS, folders(host) | {"temporary": f"{host.root}/linked"})
    assert data.exists()


def test_each_package_manager_is_asked_in_its_own_words(host: Scratch) -> None:
    full(host, 95)
    for tool, words in (("zypper", "-q clean"), ("yum", "-q clean packages"), ("dnf", "-q clean packages")):
        host.stand_in(tool, "exit 0")
        host.well("clean-disk-linux", Phase.STEPS, folders(host))
        assert host.asked(tool) == [words]


# --- docker ------------------------------------------------------------------------------------------------------

DOCKER = """
case "$1 $2" in
  "info ") [ ! -e "$KEPT/down" ] || { echo "Cannot connect to the Docker daemon" >&2; exit 1; } ;;
  "system df") echo "TYPE TOTAL ACTIVE SIZE RECLAIMABLE" ;;
  "builder prune") exit 1 ;;
  "ps ") echo "CONTAINER ID"; echo abc ;;
esac
"""


def test_only_what_docker_does_not_use_is_removed(host: Scratch) -> None:
    host.stand_in("docker", DOCKER)
    host.well("clean-docker", Phase.PRECHECK)
    assert "no build cache" in host.well("clean-docker", Phase.STEPS, {"hours": "48"})
    pruned = [line for line in host.asked("docker") if "prune" in line]
    assert [line.split()[0] for line in pruned] == ["container", "image", "network", "builder"]
    assert all(line.endswith("until=48h") for line in pruned)
    assert not any("volume" in line or "--all" in line for line in host.asked("docker"))
    host.well("clean-docker", Phase.STEPS, {"all_images": "true"})
    assert any(line.startswith("image prune --all") for line in host.asked("docker"))
    assert "1 containers run" in host.well("clean-docker", Phase.VERIFY)


def test_an_engine_that_is_down_is_not_cleaned(host: Scratch) -> None:
    assert "docker is not on this host" in host.ill("clean-docker", Phase.PRECHECK)
    host.stand_in("docker", DOCKER)
    (host.kept / "down").touch()
    assert "does not answer" in host.ill("clean-docker", Phase.PRECHECK)


# --- logs --------------------------------------------------------------------------------------------------------


def test_errors_are_counted_by_file_and_by_message(host: Scratch) -> None:
    logs = host.root / "log"
    put(
        logs / "app/api.log", "".join(f"12:00:{n:02} ERROR timeout after {n} ms\n" for n in range(30)) + "all is well\n"
    )
    put(
        logs / "worker.log",
        "panic: nil map\nterror is no error word on its own? no\nTraceback (most recent call last):\n",
    )
    put(logs / "old.log", "ERROR long ago\n", days=3)
    put(logs / "picture.png", "ERROR not a log\n")
    host.stand_in("dmesg", "echo '[1.0] Out of memory: Killed process 77 (java)'")
    given = {"logs": str(logs)}
    assert "files were written since" in host.well("analyse-logs", Phase.PRECHECK, given)
    said = host.well("analyse-logs", Phase.STEPS, given)
    assert "33 lines complain" in said
    assert "     30 app/api.log" in said
    assert "     30  N:N:N ERROR timeout after N ms" in said
    assert "Killed process 77 (java)" in said
    assert "long ago" not in said
    assert "not a log" not in said
    assert list((host.root / "tmp").iterdir()) == [], "its own notes are gone"
    only = host.well("analyse-logs", Phase.STEPS, given | {"service": "worker"})
    assert "3 lines complain" in only


def test_a_file_whose_name_is_an_attack_is_only_a_name(host: Scratch) -> None:
    logs = host.root / "log"
    put(logs / "a|;1e touch PWNED;#.log", "ERROR one\n")
    put(logs / "$(touch PWNED).log", "ERROR two\n")
    put(logs / "b\nERROR forged: three.log", "ERROR three\n")
    said = host.well("analyse-logs", Phase.STEPS, {"logs": str(logs)})
    assert "ERROR one" in said
    assert "ERROR two" in said
    assert list(host.root.rglob("PWNED")) == []


def test_the_journal_is_read_where_there_is_one(host: Scratch) -> None:
    line = "Mar 10 12:00:00 web-1 nginx[7]: upstream timed out 110"
    host.stand_in("journalctl", f'echo "{line}"; echo "{line.replace("110", "111")}"')
    assert "there is a journal" in host.well("analyse-logs", Phase.PRECHECK)
    said = host.well("analyse-logs", Phase.STEPS, {"service": "nginx", "logs": f"{host.root}/log"})
    assert "      2  nginx" in said
    assert "      2 nginx[N]: upstream timed out N" in said
    assert any("-u nginx" in words and "--since -60min" in words for words in host.asked("journalctl"))


def test_a_host_without_logs_says_so(host: Scratch) -> None:
    given = {"logs": f"{host.root}/nowhere"}
    assert "can be read" in host.ill("analyse-logs", Phase.PRECHECK, given)
    assert "can be read" in host.ill("failed-logins", Phase.PRECHECK, given)


AUTH = """\
Mar 10 03:00:01 web-1 sshd[1]: Failed password for root from 203.0.113.9 port 4 ssh2
Mar 10 03:00:02 web-1 sshd[1]: Failed password for root from 203.0.113.9 port 4 ssh2
Mar 10 03:00:03 web-1 sshd[1]: Failed password for invalid user admin from 203.0.113.9 port 4 ssh2
Mar 10 03:00:04 web-1 sshd[1]: Failed password for invalid user from from 198.51.100.7 port 4 ssh2
Mar 10 03:01:00 web-1 sshd[2]: Accepted password for root from 203.0.113.9 port 5 ssh2
Mar 10 03:02:00 web-1 sshd[3]: Accepted publickey for deploy from 192.0.2.1 port 5 ssh2
Mar 10 03:03:00 web-1 su: pam_unix(su:auth): authentication failure; logname=jon
"""


def test_failed_logins_by_address_and_who_got_in(host: Scratch) -> None:
    put(host.root / "log/auth.log", AUTH)
    given = {"logs": f"{host.root}/log"}
    assert "auth.log is read" in host.well("failed-logins", Phase.PRECHECK, given)
    said = host.well("failed-logins", Phase.STEPS, given)
    assert "4 failed logins over ssh, 1 other refusals" in said
    assert "      3  203.0.113.9  GOT IN AFTERWARDS (1 times)" in said
    assert "      2  root" in said
    assert "      1  admin (unknown)" in said
    assert "192.0.2.1" not in said


def test_failed_logins_of_the_journal(host: Scratch) -> None:
    host.stand_in("journalctl", f"cat <<'END'\n{AUTH}END")
    assert "the journal is read" in host.well("failed-logins", Phase.PRECHECK)
    assert "203.0.113.9  GOT IN AFTERWARDS" in host.well("failed-logins", Phase.STEPS, {"hours": "6"})
    assert any("--since -6h" in words for words in host.asked("journalctl"))
