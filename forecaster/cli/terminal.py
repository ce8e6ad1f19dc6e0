"""How we speak: results on stdout; notices, errors and progress on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "err",
    "out",
    "print_error",
    "print_interrupted",
    "print_notice",
    "print_warning",
    "print_written",
    "progress",
    "progress_of_parts",
]

_WIDTH_WITHOUT_TERMINAL = 110


def out() -> Console:
    """The console of results."""
    return _console(stderr=False)


def err() -> Console:
    """The console of everything else."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console  # imported late: `preroll --version` does without

    stream = sys.stderr if stderr else sys.stdout
    fixed = None if stream.isatty() or "COLUMNS" in os.environ else _WIDTH_WITHOUT_TERMINAL
    return Console(stderr=stderr, width=fixed, highlight=False, emoji=False)


def print_notice(text: str) -> None:
    """Something worth knowing that stops nothing."""
    err().print(text, style="dim", markup=False, soft_wrap=True)


def print_warning(text: str) -> None:
    """Something that will go wrong unless somebody acts, though not now."""
    console = err()
    console.print("warning:", style="bold yellow", end=" ")
    console.print(text, markup=False, soft_wrap=True)


def print_written(*files: Path | None) -> None:
    """Where results went; None and ``-``, for stdout, go unsaid."""
    for path in files:
        if path is not None and str(path) != "-":
            print_notice(f"wrote {path}")


def print_error(text: str) -> None:
    """Why the command ends here."""
    console = err()
    console.print("error:", style="bold red", end=" ")
    console.print(text, markup=False, soft_wrap=True)


def print_interrupted() -> None:
    """Ctrl-C is an answer, not an error."""
    err().print("stopped")


@contextmanager
def progress(description: str, total: int | None) -> Iterator[Callable[[], None]]:
    """A bar with the time left while the block runs; call what it yields after every step.

    Without a ``total`` it shows the time gone by. Nothing is shown where stderr is no terminal.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn()]
    if total is None:
        columns.append(TimeElapsedColumn())
    else:
        columns += [MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("left")]
    console = err()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(description, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def progress_of_parts(description: str) -> Iterator[Callable[[float, float], None]]:
    """A bar with the time left; tell what it yields how many parts are done, and of how many.

    The time left follows from the mean speed since the start: parts that end together, in several
    processes, say little of the speed of the moment.
    """
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.text import Text

    class TimeLeft(ProgressColumn):
        def render(self, task: Task) -> Text:
            ends = task.fields["ends"]
            left = "-:--:--"
            if ends is not None:
                left = str(timedelta(seconds=max(0, round(ends - (task.elapsed or 0.0)))))
            return Text(left, style="progress.remaining")

    console = err()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeLeft(),
        TextColumn("left"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(description, total=None, ends=None)

        def tell(done: float, total: float) -> None:
            elapsed = bar.tasks[0].elapsed or 0.0
            ends = elapsed * total / done if done else None
            bar.update(task, completed=done, total=total, ends=ends)

        yield tell
