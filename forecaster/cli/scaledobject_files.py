"""Manifests that are named on the command line: files, folders, standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from forecaster.cli.output import STDOUT, write_text
from forecaster.errors import ManifestError, OutputError
from forecaster.keda import read_manifests

__all__ = ["file_name", "read_files", "write_files"]

_ENDINGS = frozenset([".yaml", ".yml", ".json"])


def read_files(
    paths: Iterable[Path], namespace: str
) -> tuple[list[tuple[dict[str, Any], str]], list[str]]:
    """Every object of the files, each with where it stands, and what was left out of folders.

    ``-`` is standard input. ManifestError for a file that is named and cannot be read as one; in a
    folder such files are left out.
    """
    found: list[tuple[dict[str, Any], str]] = []
    left_out: list[str] = []
    for path in paths:
        if path == STDOUT:
            text, source = sys.stdin.read(), "standard input"
            if not text.strip():
                raise ManifestError(
                    "standard input is empty; for example: kubectl get hpa player-api -o yaml | "
                    "preroll scaledobject --from -"
                )
            found += [(one, source) for one in read_manifests(text, source, namespace)]
        elif path.is_dir():
            for one in sorted(path.rglob("*")):
                if one.suffix.lower() in _ENDINGS and one.is_file():
                    try:
                        found += _read(one, namespace)
                    except ManifestError as error:
                        left_out.append(f"{error}; the file is left out")
        else:
            found += _read(path, namespace)
    return found, left_out


def _read(path: Path, namespace: str) -> list[tuple[dict[str, Any], str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ManifestError(
            f"{path}: cannot be read: {reason}; for example: kubectl get hpa player-api -o yaml > "
            "hpa.yaml"
        ) from error
    return [(one, str(path)) for one in read_manifests(text, str(path), namespace)]


def file_name(data: dict[str, Any]) -> str:
    """``streaming.player-api.scaledobject.yaml``: no two objects share one."""
    metadata = data["metadata"]
    parts = (metadata.get("namespace"), metadata["name"], data["kind"].lower(), "yaml")
    return ".".join(one for one in parts if one)


def write_files(folder: Path, texts: dict[str, str]) -> None:
    """Each text in a file of its own; the folder is made where it is missing."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        told = f"{folder}: cannot be made a folder: {error.strerror or error}"
        raise OutputError(told) from error
    for name, text in texts.items():
        write_text(folder / name, text)
