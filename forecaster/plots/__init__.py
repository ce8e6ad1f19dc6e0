"""One set of figures: for the reports, the web page and the notebooks."""

from forecaster.plots.backtest import backtest_figure
from forecaster.plots.events import EventSpan, event_spans
from forecaster.plots.frontier import frontier_figure
from forecaster.plots.night import night_figure
from forecaster.plots.outlook import outlook_figure
from forecaster.plots.page import PageTable, figures_page
from forecaster.plots.peaks import peak_calibration_figure
from forecaster.plots.proof_page import proof_page
from forecaster.plots.proof_tables import policy_table
from forecaster.plots.replay import ForecastLines, replay_figure
from forecaster.plots.traffic import traffic_figure

__all__ = [
    "EventSpan",
    "ForecastLines",
    "PageTable",
    "backtest_figure",
    "event_spans",
    "figures_page",
    "frontier_figure",
    "night_figure",
    "outlook_figure",
    "peak_calibration_figure",
    "policy_table",
    "proof_page",
    "replay_figure",
    "traffic_figure",
]
