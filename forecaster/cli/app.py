"""The commands, each imported when it is asked for; errors become one line and an exit code.

Exit codes: 0 done, 1 the reader of our output went away, 2 something to put right (the input, the
settings, an option), 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from forecaster.cli.terminal import print_error, print_interrupted
from forecaster.errors import PrerollError

__all__ = ["app", "run"]

_COMMANDS = {
    "plan": ("forecaster.cli.plan", "plan"),
    "backtest": ("forecaster.cli.backtest", "backtest"),
    "replay": ("forecaster.cli.replay", "replay"),
    "capacity": ("forecaster.cli.capacity", "capacity"),
    "export": ("forecaster.cli.export", "export"),
    "serve": ("forecaster.cli.serve", "serve"),
    "scaledobject": ("forecaster.cli.scaledobject", "scaledobject"),
    "check-config": ("forecaster.cli.check_config", "check_config"),
    "schema": ("forecaster.cli.check_config", "schema"),
    "events": ("forecaster.cli.events", "events_app"),
    "migrate": ("forecaster.cli.migrate", "migrate"),
    "demo": ("forecaster.cli.demo", "demo"),
}
_USAGE = 2
_INTERRUPTED = 130


class _Commands(TyperGroup):
    """A group that imports a command's module only when the command is looked up."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  typer's signature
        return [name for name, (module, _) in _COMMANDS.items() if importlib.util.find_spec(module)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, function = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), function)
        if isinstance(command, typer.Typer):  # commands of its own
            return typer.main.get_command(command)
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
        alone.command(cmd_name)(command)
        return typer.main.get_command(alone)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            near = get_close_matches(args[0], known)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            ctx.fail(f"No such command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except PrerollError as error:
            print_error(str(error))
            raise typer.Exit(_USAGE) from error
        except KeyboardInterrupt as error:
            print_interrupted()
            raise typer.Exit(_INTERRUPTED) from error
        except BrokenPipeError as error:
            # Nobody reads any more: what is still buffered goes nowhere, without a word.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from error
        return result


app = typer.Typer(
    cls=_Commands,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"preroll {version('preroll')}")
        except PackageNotFoundError:
            typer.echo("preroll, from a source tree that is not installed")
        raise typer.Exit


@app.callback(
    invoke_without_command=True,
    epilog="Example: preroll plan traffic.csv --capacity 120 --lead-time 5m",
)
def preroll(
    ctx: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Predictive pre-scaling for KEDA: replicas are ready before the traffic is."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), nl=False)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without our blocks shows "?"
    try:
        app(list(arguments), prog_name="preroll")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
