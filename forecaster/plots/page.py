"""A page of figures and tables in one file, which asks the network for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

__all__ = ["PageTable", "figures_page"]

_STYLE = """
body { font: 15px/1.5 Inter, "Segoe UI", "DejaVu Sans", Arial, sans-serif; color: #222;
       max-width: 1240px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .9rem; border-bottom: 1px solid #e0e0e0; text-align: right; }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 2px solid #999; }
p.note { color: #555; margin: .2rem 0; }
div.scroll { overflow-x: auto; }
@media (max-width: 640px) {
  th, td { padding: .25rem .4rem; font-size: 13px; white-space: nowrap; }
  .modebar-container { display: none; }
}
"""

# A legend of one line has one for each entry there, and stands above the plot.
_ON_A_PHONE = """
if (matchMedia("(max-width: 640px)").matches) {
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    if ((plot.layout.legend || {}).orientation !== "h") continue;
    const named = plot.data.filter((one) => one.name && one.showlegend !== false).length;
    const more = 19 * Math.max(0, named - 2);
    const margin = { ...plot.layout.margin, t: plot.layout.margin.t + more, l: 52, r: 8 };
    plot.parentElement.style.height = `${plot.layout.height + more}px`;
    Plotly.relayout(plot, { margin, height: plot.layout.height + more });
  }
}
"""


@dataclass(frozen=True)
class PageTable:
    """A table of text: its caption, a header and rows of the same length."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def figures_page(
    title: str,
    figures: Sequence[go.Figure],
    *,
    tables: Sequence[PageTable] = (),
    notes: Sequence[str] = (),
) -> str:
    """The HTML of a page; plotly's script is within it, once."""
    parts = [f"<h1>{escape(title)}</h1>"]
    parts += [f'<p class="note">{escape(note)}</p>' for note in notes]
    parts += [_table(table) for table in tables]
    for number, figure in enumerate(figures):
        parts.append(
            figure.to_html(
                full_html=False,
                include_plotlyjs=number == 0,
                div_id=f"figure-{number + 1}",
                config={"displaylogo": False, "responsive": True},
            )
        )
    body = "\n".join([*parts, f"<script>{_ON_A_PHONE}</script>" if figures else ""])
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _table(table: PageTable) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.header)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return (
        f"<h2>{escape(table.caption)}</h2>\n<div class='scroll'>\n"
        f"<table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody>\n</table>\n</div>"
    )
