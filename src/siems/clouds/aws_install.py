"""Scripts that put the agent of Systems Manager on a machine, and the same as user data for new ones."""

from __future__ import annotations

from siems.domain.runbook import Shell

_LINUX = """\
set -eu
arch=$(uname -m)
case "$arch" in
  x86_64|amd64) deb=debian_amd64 rpm=linux_amd64 ;;
  aarch64|arm64) deb=debian_arm64 rpm=linux_arm64 ;;
  *) echo "there is no agent for $arch" >&2; exit 3 ;;
esac
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
from="https://s3.${SIEMS_REGION}.amazonaws.com/amazon-ssm-${SIEMS_REGION}/latest"
fetch() { if command -v curl >/dev/null; then curl -fsSL -o "$2" "$1"; else wget -q -O "$2" "$1"; fi; }
unit=amazon-ssm-agent
if command -v snap >/dev/null && snap list amazon-ssm-agent >/dev/null 2>&1; then
  unit=snap.amazon-ssm-agent.amazon-ssm-agent
elif ! command -v amazon-ssm-agent >/dev/null; then
  folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
  if command -v dpkg >/dev/null; then
    fetch "$from/$deb/amazon-ssm-agent.deb" "$folder/agent.deb" && as_root dpkg -i "$folder/agent.deb"
  elif command -v rpm >/dev/null; then
    fetch "$from/$rpm/amazon-ssm-agent.rpm" "$folder/agent.rpm" && as_root rpm -U --replacepkgs "$folder/agent.rpm"
  else
    echo "neither dpkg nor rpm is here" >&2; exit 3
  fi
fi
if [ -n "${SIEMS_ACTIVATION_ID:-}" ]; then
  as_root systemctl stop "$unit" || true
  as_root amazon-ssm-agent -register -y -region "$SIEMS_REGION" -id "$SIEMS_ACTIVATION_ID" \\
    -code "$SIEMS_ACTIVATION_CODE"
fi
as_root systemctl enable "$unit"
as_root systemctl restart "$unit"
echo "the agent is installed and started"
"""

_WINDOWS = """\
$ErrorActionPreference = 'Stop'
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
$region = $env:SIEMS_REGION
$file = Join-Path $env:TEMP 'AmazonSSMAgentSetup.exe'
$from = "https://amazon-ssm-$region.s3.$region.amazonaws.com/latest/windows_amd64/AmazonSSMAgentSetup.exe"
Invoke-WebRequest -UseBasicParsing -Uri $from -OutFile $file
$arguments = @('/q', '/log', "$env:TEMP\\siems-ssm.log")
if ($env:SIEMS_ACTIVATION_ID) {
  $arguments += "CODE=$env:SIEMS_ACTIVATION_CODE", "ID=$env:SIEMS_ACTIVATION_ID", "REGION=$region"
}
$done = Start-Process -FilePath $file -ArgumentList $arguments -Wait -PassThru
Remove-Item $file
if ($done.ExitCode -ne 0) { Write-Error "the installer ended with $($done.ExitCode)"; exit 1 }
Restart-Service AmazonSSMAgent
Write-Output 'the agent is installed and started'
"""


def script(shell: Shell) -> str:
    """It takes SIEMS_REGION, and SIEMS_ACTIVATION_ID and _CODE for machines outside of AWS."""
    return _WINDOWS if shell is Shell.POWERSHELL else _LINUX


def user_data(shell: Shell, region: str) -> str:
    """The same for the user data of an instance of EC2: it runs at its first start. `region` is checked."""
    if shell is Shell.POWERSHELL:
        return f"<powershell>\n$env:SIEMS_REGION = '{region}'\n{_WINDOWS}</powershell>\n"
    return f"#!/bin/sh\nSIEMS_REGION={region}\n{_LINUX}"
