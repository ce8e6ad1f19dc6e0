"""The command line: parse, build, call one function, print. The only place that prints."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """What the command ``preroll`` runs; ends the process with its exit code."""
    try:
        from forecaster.cli.app import run  # here, so that Ctrl-C during start-up is quiet, too

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
