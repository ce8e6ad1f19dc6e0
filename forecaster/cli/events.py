"""``preroll events``: what is known ahead, and what it did to traffic."""

from __future__ import annotations

import typer

from forecaster.cli.events_check import check
from forecaster.cli.events_suggest import suggest
from forecaster.cli.events_uplift import uplift

__all__ = ["events_app"]

events_app = typer.Typer(
    name="events",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@events_app.callback()
def events() -> None:
    """Events that are known ahead: look at calendars before anything runs on them."""


events_app.command("check")(check)
events_app.command("uplift")(uplift)
events_app.command("suggest")(suggest)
