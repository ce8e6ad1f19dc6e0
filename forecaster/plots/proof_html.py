"""The parts of a proof's page as HTML: text, tables, figures, and the document around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from forecaster.plots.page import PageTable

__all__ = ["Zoom", "as_html", "document", "figure_html", "list_html", "paragraphs", "table_html"]

Zoom = tuple[str, str, str, bool]
"""A button over a figure: its words, from when to when on the axis, and whether it is marked."""


def as_html(text: str) -> str:
    """Text, escaped; a number stays on one line with its percent sign."""
    return escape(text).replace(" %", "&nbsp;%")


def paragraphs(texts: Iterable[str], kind: str = "soft") -> str:
    """One paragraph each."""
    return "\n".join(f'<p class="{kind}">{as_html(text)}</p>' for text in texts)


def list_html(items: Iterable[str]) -> str:
    """A list of sentences."""
    return "<ul>\n" + "\n".join(f"<li>{as_html(one)}</li>" for one in items) + "\n</ul>"


def table_html(table: PageTable, *, own: str = "Preroll", words: Sequence[int] = ()) -> str:
    """A table that scrolls by itself; rows that begin with ``own`` are bold.

    ``words`` are the columns, from 0, that are set from the left. The caption is not shown, a
    screen reader says it.
    """

    def cell(kind: str, column: int, text: str) -> str:
        look = ' class="words"' if column in words else ""
        return f"<{kind}{look}>{as_html(text)}</{kind}>"

    head = "".join(cell("th", column, text) for column, text in enumerate(table.header))
    rows = "\n".join(
        f"<tr{' class=own' if row[0] == own else ''}>"
        + "".join(cell("td", column, text) for column, text in enumerate(row))
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<div class="scroll" role="region" aria-label="{escape(table.caption)}" tabindex="0">\n'
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>"
    )


def figure_html(
    name: str, figure: go.Figure, *, says: str, zooms: Sequence[Zoom] = (), legend: bool = True
) -> str:
    """A figure whose legend and title are the page's; ``says`` is what a screen reader says."""
    margin = {"l": 68, "r": 16, "t": 14, "b": 52}
    figure = go.Figure(figure).update_layout(
        title=None, showlegend=False, margin=margin, template="none", autosize=True
    )
    figure.update_xaxes(showgrid=True, gridcolor="#e6e6e6")
    figure.update_yaxes(showgrid=True, gridcolor="#e6e6e6")
    spec = figure.to_json().replace("<", "\\u003c")
    buttons = "".join(
        f'<button type="button"{" class=bad" if marked else ""} aria-pressed="false" '
        f'data-from="{escape(begin)}" data-to="{escape(end)}">{as_html(text)}</button>'
        for text, begin, end, marked in zooms
    )
    whole = '<button type="button" aria-pressed="true">All</button>'
    return (
        "<div>\n"
        + (f'<div class="zoom">{whole}{buttons}</div>\n' if zooms else "")
        + ('<div class="legend"></div>\n' if legend else "")
        + f'<div class="figure" id="{escape(name)}" role="img" aria-label="{escape(says)}" '
        f'style="height: {figure.layout.height}px"></div>\n'
        f'<script type="application/json" class="spec">{spec}</script>\n</div>'
    )


def document(title: str, body: str) -> str:
    """The whole page: styles, plotly's script and ours are within it, nothing is fetched."""
    assets = files("forecaster.plots") / "assets"
    style = (assets / "report.css").read_text("utf-8")
    script = (assets / "report.js").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n"
        f"<script>{get_plotlyjs()}</script>\n<script>\n{script}</script>\n</body>\n</html>\n"
    )
