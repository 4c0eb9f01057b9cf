#!/bin/sh
# Prepares a virtual environment from the hashed lock. Needs Python >= 3.11 and pip; downloads from the package registry only.
set -eu
venv=${1:-.venv}
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "error: siems needs Python 3.11 or newer; this is $("$python" --version 2>&1)" >&2
    echo "  name another one:  make PYTHON=/path/to/python3.11 setup" >&2
    exit 2
}
here=$(pwd)
echo "preparing $venv (once; about a minute on a fresh machine)" >&2
[ -x "$venv/bin/uv" ] || {
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "uv>=0.5"
}
# hash mode refuses editable installs: first the lock, then the project without its dependencies
cp "$venv/bin/uv" "$venv/.uv"
VIRTUAL_ENV="$here/$venv" "$venv/.uv" pip sync --quiet --require-hashes --compile-bytecode requirements.lock
VIRTUAL_ENV="$here/$venv" "$venv/.uv" pip install --quiet --no-deps --no-build-isolation --editable .
rm "$venv/.uv"
# commands start faster from compiled code, also where the environment tells Python to write none
"$venv/bin/python" -m compileall -q src
