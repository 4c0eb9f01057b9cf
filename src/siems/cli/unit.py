"""The unit of systemd under which siems runs, what it is made of, and whether it would come back after a reboot."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

NAME = "siems.service"
GUIDE = "docs/guides/staying-up.md"
WATCHDOG_SECONDS = 45
HOMES = tuple(f"/{folder}/" for folder in ("home", "root", "run/user"))

_CLOSED = """\
NoNewPrivileges=true
LockPersonality=true
MemoryDenyWriteExecute=true
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""

_CLOSED_SYSTEM = """\
ProtectSystem=strict
ProtectHome={homes}
PrivateTmp=true
PrivateDevices=true
PrivateUsers=true
ProtectClock=true
ProtectControlGroups=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
ProcSubset=pid
RemoveIPC=true
CapabilityBoundingSet=
AmbientCapabilities=
"""

_UNIT = """\
# siems as a service. What it does and how to look after it: {guide}
[Unit]
Description=siems, the incident console for managed service providers
Documentation=man:systemd.service(5)
After=network-online.target{after}
Wants=network-online.target
# it is never given up, however often it has failed
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
{who}ExecStart={program} daemon run
Restart=always
RestartSec=2
# it tells every {told} s that its clockwork turns; when it does not for so long it is started anew
WatchdogSec={watchdog}
TimeoutStartSec=120
# a stop waits for requests in flight: server.drain_seconds, and some more
TimeoutStopSec=40
UMask=0077
LimitNOFILE=65536
{place}
{closed}
[Install]
WantedBy={target}
"""


@dataclass(frozen=True, slots=True)
class Service:
    """What a unit says: for the whole machine (`user` is whom it runs as), or for one person's own manager."""

    program: str
    home: str = ""
    user: str = ""
    in_homes: bool = False
    """The program or its data lie in somebody's home, so that homes cannot be hidden from it."""

    @property
    def system(self) -> bool:
        return bool(self.user)

    def text(self) -> str:
        """The unit."""
        who = f"User={self.user}\nGroup={self.user}\n" if self.system else ""
        who += f"Environment=SIEMS_HOME={self.home}\n" if self.home else ""
        closed = "# it needs no rights, and can get none\n" + _CLOSED
        if self.system:
            homes = "read-only" if self.in_homes else "true"
            closed = f"# it writes to {self.home} and to nothing else\n{_CLOSED_SYSTEM.format(homes=homes)}\n{closed}"
        return _UNIT.format(
            guide=GUIDE, after=" postgresql.service" if self.system else "", who=who, program=self.program,
            told=WATCHDOG_SECONDS // 3, watchdog=WATCHDOG_SECONDS, place=self._place(), closed=closed,
            target="multi-user.target" if self.system else "default.target",
        )  # fmt: skip

    def _place(self) -> str:
        """Where it may write: systemd makes the folder where it is one of its own."""
        if not self.system:
            return ""
        if self.home.startswith("/var/lib/"):
            return f"StateDirectory={self.home.removeprefix('/var/lib/')}\nStateDirectoryMode=0700\n"
        return f"ReadWritePaths={self.home}\n"


def program() -> str:
    """How this siems is started: its script beside the interpreter, else the interpreter with the module."""
    script = Path(sys.executable).parent / "siems"
    return str(script) if script.exists() else f"{sys.executable} -m siems"


def root() -> Path:
    """Where the machine's own files begin; another folder for images and tests."""
    return Path(os.environ.get("SIEMS_SYSTEM_ROOT") or "/")


def system_file(under: Path) -> Path:
    return under / "etc/systemd/system" / NAME


def user_file() -> Path:
    """Where a person's own units lie."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "systemd/user" / NAME


def user_name() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def lingers(under: Path, name: str) -> bool:
    """Whether this person's services run without a login."""
    return (under / "var/lib/systemd/linger" / name).exists()


def comes_back(under: Path) -> tuple[bool, str, str]:
    """(whether siems would run after a reboot, why, the fix). Where there is no systemd nobody can tell: it is well."""
    if not (under / "run/systemd/system").is_dir():
        return True, "there is no systemd here: whatever starts this machine's programs has to start siems", ""
    folders = (under / "etc/systemd/system", under / "usr/lib/systemd/system", under / "lib/systemd/system")
    file = next((folder / NAME for folder in folders if (folder / NAME).exists()), None)
    if file is not None:
        link = under / "etc/systemd/system/multi-user.target.wants" / NAME
        if not _linked(link):
            return False, f"{file} is there, but not enabled", "sudo systemctl enable --now siems"
        return _startable(file, under, "sudo siems daemon install --system")
    file = user_file()
    if not file.exists():
        fix = "siems daemon install --user    or    sudo siems daemon install --system"
        return False, "no service of systemd starts siems: after a reboot it would not run", fix
    if not _linked(file.parent / "default.target.wants" / NAME):
        return False, f"{file} is there, but not enabled", "systemctl --user enable --now siems"
    if not lingers(under, user_name()):
        why = f"{user_name()} does not linger: siems ends with the last session, and waits for a login after a reboot"
        return False, why, f"sudo loginctl enable-linger {user_name()}"
    return _startable(file, under, "siems daemon install --user")


def _linked(link: Path) -> bool:
    return link.is_symlink() or link.exists()


def _startable(file: Path, under: Path, fix: str) -> tuple[bool, str, str]:
    """A unit whose program has moved starts nothing."""
    lines = [line for line in file.read_text(errors="replace").splitlines() if line.startswith("ExecStart=")]
    words = lines[-1].removeprefix("ExecStart=").split() if lines else []
    if not words or not (under / words[0].lstrip("-@:+!/")).exists():
        return False, f"{file} starts {words[0] if words else 'nothing'}, which is not there", fix
    return True, f"{file} starts it with the machine", ""
