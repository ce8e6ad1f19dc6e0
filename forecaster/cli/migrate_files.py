"""What ``preroll migrate`` reads and writes: manifests in, a folder of files out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from forecaster.cli.terminal import print_notice

if TYPE_CHECKING:
    from forecaster.migration.manifests import ManifestText

__all__ = ["check_folder", "read_inputs", "write_folder"]

_STDIN = "-"
_SUFFIXES = (".yaml", ".yml", ".json")
_MOST_BYTES = 256 * 2**20
_MOST_NAMED = 5
_OURS = ("scaledobjects", "backup")


def read_inputs(paths: Iterable[str]) -> Iterator[ManifestText]:
    """The texts: a folder's files by name, those below it too; ``-`` is standard input.

    ManifestError for what cannot be read, and for a folder without such files.
    """
    from forecaster.errors import ManifestError
    from forecaster.migration.manifests import ManifestText

    for one in paths:
        if one == _STDIN:
            yield ManifestText("standard input", _text(sys.stdin.buffer.read(), "standard input"))
            continue
        path = Path(one)
        files = sorted(_files(path)) if path.is_dir() else [path]
        if not files:
            raise ManifestError(f"{path}: no {', '.join(_SUFFIXES)} in this folder")
        for file in files:
            try:
                if file.stat().st_size > _MOST_BYTES:
                    raise ManifestError(f"{file}: more than {_MOST_BYTES / 2**20:.0f} MiB")
                data = file.read_bytes()
            except OSError as error:
                told = error.strerror or str(error)
                raise ManifestError(f"{file}: it cannot be read: {told}") from error
            yield ManifestText(str(file), _text(data, str(file)))


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in _SUFFIXES and path.is_file() and not hidden:
            yield path


def _text(data: bytes, source: str) -> str:
    from forecaster.errors import ManifestError

    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{source}: not UTF-8 text, at byte {error.start}") from error


def check_folder(folder: Path) -> None:
    """OutputError, before the work, where the folder cannot be made or written to."""
    import os

    from forecaster.errors import OutputError

    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: this is a file; name a folder")
    above = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not os.access(above, os.W_OK):
        raise OutputError(f"{folder}: no permission to write there")


def write_folder(folder: Path, texts: Mapping[str, str], *, force: bool) -> None:
    """Each file in one move; what is the same already stays as it is.

    OutputError, before anything is written, where a file is there with another content, unless
    ``force``.
    """
    from forecaster.cli.output import write_text
    from forecaster.errors import OutputError

    changed = {name: text for name, text in texts.items() if _differs(folder / name, text)}
    there = [name for name in changed if (folder / name).exists()]
    if there and not force:
        named = ", ".join(there[:_MOST_NAMED])
        more = len(there) - _MOST_NAMED
        raise OutputError(
            f"{folder}: {named}{f' and {more} more' if more > 0 else ''} would be overwritten; "
            "write --force if that is meant, or name another folder with --output"
        )
    for name, text in changed.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path.parent}: cannot be made: {error.strerror}") from error
        write_text(path, text)
    for stale in _stale(folder, texts):
        print_notice(f"{stale} is from before, and no file of this migration any more")


def _differs(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() != text.encode()
    except OSError:
        return True


def _stale(folder: Path, texts: Mapping[str, str]) -> Iterator[Path]:
    for below in _OURS:
        for path in sorted((folder / below).glob("*.yaml")):
            if str(path.relative_to(folder)) not in texts:
                yield path
