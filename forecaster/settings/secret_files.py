"""Secrets that stand in files: tokens and passwords, as Kubernetes mounts them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["read_secret"]


def read_secret(path: Path) -> str:
    """The file's text without the white space around it.

    Raises ValueError, without the text, where the file cannot be read, is not text or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:  # its words would quote the file
        raise ValueError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    if not text:
        raise ValueError(f"{path} is empty")
    return text
