from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecaster.backtest import Preroll, ReplaySettings, ReplaySpan
from forecaster.backtest.night import Night, NightReplay
from forecaster.backtest.policies import Hpa
from forecaster.backtest.replay import replay_oracle, replay_policy
from forecaster.plots.night import night_figure
from forecaster.traffic.history import TrafficSeries

START = datetime(2026, 6, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AT = START + timedelta(days=2, hours=18)


def make(policies, *, gap=False, live=None):
    """Half an hour in which traffic doubles in its tenth minute; Preroll knew four minutes ago."""
    rates = np.full(3 * 1440, 100.0)
    first = (AT - START) // MINUTE
    rates[first + 10 :] = 200.0
    if gap:
        rates[first + 20 : first + 23] = np.nan
    settings = ReplaySettings(10.0, timedelta(minutes=4))
    series = TrafficSeries("tv/web", START, MINUTE, rates)
    night = Night(series, AT, AT + 30 * MINUTE, settings, 0.95, timezone="Europe/Paris")
    span = ReplaySpan(night.series, AT)
    peak = np.where(np.arange(30) < 6, 110.0, 210.0)
    oracle = replay_oracle(span, settings)
    ran = {
        "oracle": oracle,
        "hpa": replay_policy(span, Hpa(1.0), settings),
        "preroll": replay_policy(span, Preroll(0.95, peak), settings),
    }
    return NightReplay(
        night=night,
        span=span,
        needed=settings.oracle_replicas(span),
        lead_peak_rps=peak,
        live=np.ones(30, dtype=bool) if live is None else live,
        policies=tuple(ran[name] for name in policies),
        oracle=oracle,
        trained=(night.begin,),
        taught=(),
        reasons=(),
    )


def traces(figure, name):
    return [one for one in figure.data if one.name == name]


def test_traffic_and_the_lead_peak_are_on_top_by_the_clock_of_the_zone():
    replay = make(("hpa", "preroll"))
    figure = night_figure(replay)
    (traffic,), (peak,) = traces(figure, "traffic"), traces(figure, "lead peak, 0.95")
    assert np.array_equal(traffic.y, replay.span.rate_rps)
    assert np.array_equal(peak.y, replay.lead_peak_rps)
    assert traffic.yaxis == peak.yaxis == "y"
    assert np.datetime64(traffic.x[0], "m") == np.datetime64("2026-06-14T20:00")
    assert figure.layout.xaxis3.title.text == "time (Europe/Paris)"
    assert figure.layout.title.text == "tv/web: Sun 14 Jun 2026"


def test_each_policy_has_a_panel_with_its_steps_to_the_end_of_the_window():
    replay = make(("hpa", "preroll"))
    figure = night_figure(replay, title="The final")
    for what, values in (("ready", "ready"), ("asked for", "asked")):
        for trace, policy, axis in zip(
            traces(figure, what), replay.policies, ("y2", "y3"), strict=True
        ):
            expected = getattr(policy, values)
            assert trace.y[:-1].tolist() == expected.tolist()
            assert trace.y[-1] == expected[-1]
            assert trace.line.shape == "hv"
            assert trace.yaxis == axis
            assert np.datetime64(trace.x[-1], "m") == np.datetime64("2026-06-14T20:30")
    for trace in traces(figure, "needed"):
        assert trace.y[:-1].tolist() == [10] * 10 + [20] * 20
    assert figure.layout.title.text == "The final"


@pytest.mark.parametrize("gap", [False, True], ids=["observed", "with a gap"])
def test_the_shade_lies_between_what_is_ready_and_what_is_needed_and_nowhere_else(gap):
    replay = make(("hpa", "preroll"), gap=gap)
    figure = night_figure(replay)
    for policy, ready, shade in zip(
        replay.policies, traces(figure, "ready"), traces(figure, "short"), strict=True
    ):
        order = list(figure.data)
        assert order.index(shade) == order.index(ready) + 1, "it fills down to the line before it"
        assert shade.fill == "tonexty"
        for step in range(30):
            missing = policy.short[step] if np.isfinite(policy.short[step]) else 0.0
            if missing > 0:
                assert shade.y[step] == pytest.approx(replay.needed[step])
            else:
                assert shade.y[step] == ready.y[step]
    hpa, preroll = traces(figure, "short")
    assert (hpa.y[:-1] > replay.policy("hpa").ready).any(), "the HPA alone is late"
    assert not (preroll.y[:-1] > replay.policy("preroll").ready).any()


def test_where_the_outlook_spoke_is_marked():
    live = np.ones(30, dtype=bool)
    live[12:15] = False
    replay = make(("preroll",), live=live)
    (marked,) = traces(night_figure(replay), "of these, the outlook's")
    assert np.flatnonzero(~np.isnan(marked.y)).tolist() == [12, 13, 14]
    assert marked.y[12] == replay.lead_peak_rps[12]
    assert not traces(night_figure(make(("preroll",))), "of these, the outlook's")


def test_the_oracle_has_a_panel_only_where_it_is_alone():
    beside = night_figure(make(("oracle", "hpa")))
    assert len(traces(beside, "ready")) == 1
    assert [one.text.split(":")[0] for one in beside.layout.annotations] == ["hpa"]
    alone = night_figure(make(("oracle",)))
    (ready,) = traces(alone, "ready")
    assert ready.y[:-1].tolist() == [10] * 10 + [20] * 20


def test_a_legend_has_each_kind_once():
    figure = night_figure(make(("hpa", "preroll")))
    shown = [one.name for one in figure.data if one.showlegend is not False]
    assert sorted(shown) == ["asked for", "lead peak, 0.95", "needed", "ready", "short", "traffic"]
