"""One set of figures: for the reports, the web page and the notebooks."""

from forecaster.plots.backtest import backtest_figure
from forecaster.plots.outlook import EventSpan, outlook_figure
from forecaster.plots.page import PageTable, figures_page

__all__ = ["EventSpan", "PageTable", "backtest_figure", "figures_page", "outlook_figure"]
