"""``--config``: the settings, and where they are where it is left out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["USUAL_CONFIG", "ConfigOption", "OptionalConfigOption", "find_config", "refuse_config"]

USUAL_CONFIG = Path("preroll.yaml")
_VARIABLE = "PREROLL_CONFIG"

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", metavar="FILE", envvar=_VARIABLE, help="The settings, as YAML."),
]
"""Of commands that nothing but settings can tell what to do; ``USUAL_CONFIG`` is the default."""

OptionalConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help=f"The settings, as YAML; where nothing else is named {_VARIABLE}, or {USUAL_CONFIG}.",
        show_default=False,
    ),
]
"""Of commands that can do without; ``find_config`` says which file it is."""


def find_config(given: Path | None) -> Path | None:
    """The settings to read: as given, as the environment names them, or the usual ones.

    None where nothing names any and there is no ``USUAL_CONFIG`` here.
    """
    if given is not None:
        return given
    if os.environ.get(_VARIABLE):
        return Path(os.environ[_VARIABLE])
    return USUAL_CONFIG if USUAL_CONFIG.exists() else None


def refuse_config(config: Path | None, other: str) -> None:
    """BadParameter where ``--config`` stands beside an ``other`` place to read from."""
    if config is not None:
        raise typer.BadParameter(
            f"{other} and --config exclude each other: the settings name their own source",
            param_hint="--config",
        )
