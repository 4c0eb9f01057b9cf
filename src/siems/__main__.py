"""`python -m siems`, and the `siems` command. The version is answered before anything else is imported."""

import sys


def main() -> int:
    """Run one command; the exit code."""
    if sys.argv[1:] in (["--version"], ["version"], ["-V"]):
        from siems import __version__

        print(f"siems {__version__}")
        return 0
    try:
        from siems.cli import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
