"""What holds for every runbook that ships: it reads without a warning, and its scripts are what their shells take."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from siems import library
from siems.domain.runbook import Kind, Phase, Runbook, Shell
from siems.domain.runbook_text import read
from siems.domain.runbook_values import values
from siems.errors import InvalidField
from siems.vocabulary import Platform, Risk

EVERY = list(library.every())
PROMISED = {
    "high-cpu-fix": "lw", "clean-disk-linux": "l", "clean-disk-windows": "w", "restart-web-server": "lw",
    "restart-service": "lw", "check-database": "lw", "clear-memory-cache": "l", "top-cpu-processes": "lw",
    "network-check": "lw", "failed-logins": "lw", "ec2-metadata": "lw", "restart-container": "l", "clean-docker": "l",
    "analyse-logs": "lw", "health-check": "lw",
}  # fmt: skip
SCRIPTS = [
    pytest.param(runbook, platform, step.run[platform], id=f"{runbook.name}-{phase}-{number}-{platform}")
    for runbook in EVERY
    for phase in Phase
    for platform in runbook.platforms
    for number, step in enumerate(runbook.steps(phase, platform), 1)
]
DELETES = re.compile(r"\brm -|-delete|Remove-Item|\bprune\b|\bclean\b|--vacuum")
ATTACKS = (
    ";reboot", "a;b", "$(id)", "`id`", "a\nb", "a'b", 'a"b', "{{ssm:x}}", "-rf", "--help", "a" * 65_536, "a\x00b",
    "a|b", "a&b", "a>b", "../../etc/passwd", "a\\b", "\u202ea", "a\tb", "$HOME", "%PATH%", "~root", "a*", "#a", "(a)",
)  # fmt: skip


def test_all_that_was_promised_ships() -> None:
    letters = {Platform.LINUX: "l", Platform.WINDOWS: "w"}
    assert {r.name: "".join(letters[p] for p in r.platforms) for r in EVERY} == PROMISED


@pytest.mark.parametrize("name", library.names())
def test_it_reads_without_a_warning_under_its_file_name(name: str) -> None:
    runbook, problems = read(library.text_of(name) or "")
    assert problems == ()
    assert runbook is not None
    assert runbook.name == name
    assert runbook.title
    assert runbook.description
    assert runbook.matches
    for platform in runbook.platforms:
        assert runbook.steps(Phase.PRECHECK, platform), "it looks before it leaps"


@pytest.mark.parametrize("runbook", EVERY, ids=lambda r: r.name)
def test_what_changes_something_is_verified_and_says_what_puts_it_back(runbook: Runbook) -> None:
    if runbook.risk is not Risk.LOW:
        for platform in runbook.platforms:
            assert runbook.steps(Phase.VERIFY, platform)
        assert "\nrollback:" in runbook.text


@pytest.mark.parametrize(("runbook", "platform", "script"), SCRIPTS)
def test_low_is_honest(runbook: Runbook, platform: Platform, script: str) -> None:
    """What counts as LOW deletes nothing but its own notes, and restarts nothing."""
    if runbook.risk is Risk.LOW:
        kept = re.sub(r'rm -f "\$(kept|found)"|Remove-Item -Path \$kept', "", script)
        assert not DELETES.search(kept)
        code = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "", kept)
        assert not re.search(
            r"(?m)(^|[|;&{(]|then|do)\s*(p?kill|reboot|shutdown|Stop-|Restart-)|systemctl (re)?st", code
        )


@pytest.mark.parametrize(("runbook", "platform", "script"), SCRIPTS)
def test_every_shell_takes_it(runbook: Runbook, platform: Platform, script: str) -> None:
    if Shell.of(platform) is Shell.POWERSHELL:
        check_powershell(script)
        return
    shells = [[found] for name in ("dash", "sh") if (found := shutil.which(name))]
    shells += [[found, "ash"] for name in ("busybox",) if (found := shutil.which(name))]
    for shell in shells:
        done = subprocess.run([*shell, "-n"], input=script, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, "")
    bashisms = re.compile(r"\[\[|<\(|<<<|\$'|\bfunction \w+|&>|\blocal \b|\becho -[en]|\bsource |==")
    plain = re.sub(r"(?m)(^|\s)#.*$", "", script)
    awkless = re.sub(r"'[^']*'", "''", plain, flags=re.DOTALL)
    assert not bashisms.search(awkless)


def check_powershell(script: str) -> None:
    """No PowerShell runs here: that its brackets and quotes close, and that 5.1 knows what is used."""
    code = re.sub(r"(?m)^\s*#.*$|\s#\s.*$", "", script)
    bare = re.sub(r"'(?:[^']|'')*'", "''", code)
    outside = re.sub(r'"(?:[^"`$]|`.|\$\([^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*\)|\$)*"', '""', bare)
    assert "'" not in outside.replace("''", "")
    assert '"' not in outside.replace('""', "")
    for opening, closing in ("()", "[]", "{}"):
        assert outside.count(opening) == outside.count(closing)
    assert not re.search(r"&&|\|\||\?\?|\?\.", outside), "that is of PowerShell 7"
    assert not re.search(r"\b(ls|cat|rm|curl|wget|iex|Invoke-Expression|ForEach-Object -Parallel)\b", outside)
    assert "$env:SIEMS_" not in re.sub(r"\$\(?\$?env:SIEMS_\w+\)?", "", script)


def test_the_check_of_powershell_can_fail() -> None:
    for text in ("Get-Process | Where-Object { $_.CPU", "Write-Output 'a", 'Write-Output "a', "a && b", "iex $x"):
        with pytest.raises(AssertionError):
            check_powershell(text)


@pytest.mark.parametrize(("runbook", "platform", "script"), SCRIPTS)
def test_values_are_quoted_wherever_they_are_used(runbook: Runbook, platform: Platform, script: str) -> None:
    """`$SIEMS_X` stands between double quotes, or where a shell splits no words."""
    if Shell.of(platform) is Shell.POWERSHELL:
        return
    numbers = {p.name.upper() for p in runbook.parameters if p.kind in (Kind.INTEGER, Kind.BOOLEAN)}
    for line in script.splitlines():
        quoted = re.sub(r'"(?:\\.|[^"\\])*"', '""', line)
        for found in re.finditer(r"\$\{?SIEMS_([A-Z0-9_]+)", quoted):
            splits_nothing = re.search(r"(^|\s)(case|\w+=)\s*$|case $", quoted[: found.start()])
            chosen = re.match(r"\s*for folder in", quoted)
            elsewhere = "$((" in quoted or ":+" in quoted[found.end() : found.end() + 2]
            assert splits_nothing or chosen or elsewhere or found[1] in numbers, line


@pytest.mark.parametrize("runbook", EVERY, ids=lambda r: r.name)
def test_attacks_are_refused_by_every_parameter(runbook: Runbook) -> None:
    """B1: refused before anything is called."""
    needed = {p.name: "a" for p in runbook.parameters if p.default is None}
    for parameter in runbook.parameters:
        for attack in ATTACKS:
            with pytest.raises(InvalidField) as refused:
                values(runbook, needed | {parameter.name: attack})
            assert parameter.name in refused.value.message
            assert len(refused.value.message) < 300
            assert refused.value.message.isprintable()


@pytest.mark.parametrize(
    ("name", "signatures"),
    [
        ("high-cpu-fix", "high_cpu_usage HighCPU HostHighCpuLoad cpu_high CPUUtilization very_high_cpu high_cpu cpu"),
        ("top-cpu-processes", "high_cpu_usage HighLoad load_high CPUThrottlingHigh NodeCPUHigh"),
        ("clean-disk-linux", "disk_full disk_space_low LowDiskSpace HostOutOfDiskSpace NodeFilesystemAlmostOutOfSpace"),
        ("clean-disk-windows", "disk_full WindowsDiskSpaceLow low_disk_space"),
        ("clear-memory-cache", "high_memory_usage HostOutOfMemory low_memory memory_high MemoryUtilization"),
        ("restart-web-server", "nginx_down ApacheDown http_check_failed web_server_down"),
        ("restart-service", "service_down ServiceStopped SystemdUnitFailed service_not_running"),
        ("check-database", "PostgresqlDown mysql_too_many_connections replication_lag database_slow"),
        ("network-check", "network_unreachable packet_loss high_latency HostDown vpn_down"),
        ("failed-logins", "failed_login failed_logins brute_force ssh_auth_failures multiple_failed_logins"),
        ("ec2-metadata", "StatusCheckFailed_Instance ec2_scheduled_event"),
        ("restart-container", "container_down ContainerKilled docker_container_unhealthy CrashLoopBackOff"),
        ("clean-docker", "docker_disk_full disk_full"),
        ("analyse-logs", "log_errors application_error HighErrorRate"),
        ("health-check", "health_check_failed system_degraded NodeNotReady HighLoad"),
    ],
)
def test_the_signatures_of_the_field_are_matched(name: str, signatures: str) -> None:
    from siems.domain.suggesting import matching

    runbook = library.find(name)
    assert runbook is not None
    assert [s for s in signatures.split() if matching(runbook, [s]) is None] == []
    assert matching(runbook, ["printer_out_of_paper"]) is None
