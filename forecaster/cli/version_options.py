"""``--kubernetes`` and ``--keda``: the versions that KEDA's objects are written for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from forecaster.settings.versions import Version

__all__ = ["KedaOption", "KubernetesOption", "read_keda", "read_kubernetes"]

KubernetesOption = Annotated[
    str | None,
    typer.Option(
        "--kubernetes",
        metavar="VERSION",
        help="The oldest Kubernetes that has to understand the objects; otherwise what the "
        "settings say, or 1.35.",
        show_default=False,
    ),
]
KedaOption = Annotated[
    str | None,
    typer.Option(
        "--keda",
        metavar="VERSION",
        help="The oldest KEDA that has to; otherwise what the settings say, or 2.20.",
        show_default=False,
    ),
]


def read_kubernetes(text: str | None) -> Version | None:
    """None where it was left out; BadParameter for none, and for one too old."""
    from forecaster.keda import DEFAULT_OPTIONS
    from forecaster.settings.versions import OLDEST_KUBERNETES

    return _read(text, OLDEST_KUBERNETES, DEFAULT_OPTIONS.kubernetes, "--kubernetes")


def read_keda(text: str | None) -> Version | None:
    """None where it was left out; BadParameter for none, and for one too old."""
    from forecaster.keda import DEFAULT_OPTIONS
    from forecaster.settings.versions import OLDEST_KEDA

    return _read(text, OLDEST_KEDA, DEFAULT_OPTIONS.keda, "--keda")


def _read(text: str | None, oldest: Version, usual: Version, option: str) -> Version | None:
    from forecaster.settings.versions import read_version, show_version

    if text is None:
        return None
    try:
        return read_version(text, oldest)
    except ValueError as error:
        told = f"{error}; write for example {show_version(usual)}"
        raise typer.BadParameter(told, param_hint=option) from error
