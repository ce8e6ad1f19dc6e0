"""The processes below a process, from /proc."""

from __future__ import annotations

from pathlib import Path

__all__ = ["alive", "below", "helpers_of"]


def alive(pid: int) -> bool:
    """Whether there is such a process, and not only its remains."""
    return _state(pid) not in {None, "Z"}


def below(pid: int) -> list[int]:
    """The living processes that ``pid`` started, and those that they started."""
    parents = {
        int(entry.name): _parent(int(entry.name))
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal()
    }
    found = [child for child, parent in parents.items() if parent == pid and alive(child)]
    return found + [one for child in found for one in below(child)]


def helpers_of(pid: int) -> list[int]:
    """The trainer and the refresher of ``pid``, oldest first."""
    return sorted(one for one in below(pid) if "spawn_main" in _command(one))


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _state(pid: int) -> str | None:
    return (_stat(pid) or [None])[0]


def _parent(pid: int) -> int | None:
    stat = _stat(pid)
    return int(stat[1]) if stat else None
