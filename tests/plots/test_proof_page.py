"""The page of a proof: the verdict first, all that it claims within it, nothing fetched."""

import json
import re
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from forecaster.backtest import (
    InputUnit,
    RollingOrigin,
    SweptPoint,
    build_frontier,
    build_report,
    forecast_origin,
    hold_out,
    origin_tasks,
    seasonal_naive,
)
from forecaster.backtest.verdict import give_verdict
from forecaster.models.selection import OutlookConfig
from forecaster.plots import proof_page
from tests.backtest.proof_cases import make_proof, make_series_proof


@pytest.fixture(scope="module")
def swept():
    return make_series_proof()


@pytest.fixture(scope="module")
def page(swept):
    return proof_page(make_proof(swept), title="Backtest of traffic.csv", timezone="Europe/Paris")


def headings(page):
    return re.findall(r"<h2[^>]*>(.*?)</h2>", page)


def figures(page):
    names = re.findall(r'class="figure" id="([^"]*)"', page)
    specs = re.findall(r'class="spec">(.*?)</script>', page, re.DOTALL)
    return dict(zip(names, map(json.loads, specs), strict=True))


def words(page):
    return re.sub(r"<[^>]*>", "", page.split("<script")[0]).replace("&nbsp;", " ")


def test_the_verdict_comes_first(page, swept):
    said = give_verdict(swept, "Europe/Paris")
    assert said.headline in words(page)
    assert page.index("fewer idle") < page.index("<h2>")
    assert 'class="verdict better"' in page


def test_all_that_a_manager_is_promised_is_there(page):
    assert headings(page) == [
        "Traffic, and who ran how many replicas",
        "Where Preroll left more unserved than the HPA",
        "The worst shortages",
        "Slack at equal unserved traffic",
        "Every policy as it ran",
        "Does a quantile mean what it says?",
        "How to read this",
        "What was assumed",
    ]
    assert list(figures(page)) == ["replay", "peak", "frontier", "calibration"]
    text = page.replace("&nbsp;", " ")
    assert "One replica serves 3,000 requests per 5m, and no more." in text
    assert "ready 10m after it was asked for" in text
    assert "differences of up to 10 %" in text


def test_the_utilisation_that_was_asked_for_is_named(swept):
    proof = make_proof(swept)
    page = proof_page(replace(proof, asked=replace(proof.asked, utilisation=0.55)), title="Own")
    assert "HPAs of the rivals aim at 55 % of a" in page.replace("&nbsp;", " ")


def test_the_replay_shows_the_settings_that_the_verdict_is_about(page, swept):
    said = give_verdict(swept, "Europe/Paris")
    ready = {
        trace["name"]: trace["y"]
        for trace in figures(page)["replay"]["data"]
        if trace.get("yaxis") == "y2"
    }
    assert set(ready) == {"needed", "HPA alone", "Preroll"}
    drawn = np.frombuffer(b64decode(ready["Preroll"]["bdata"]), dtype="f4")
    assert np.allclose(drawn, said.ours.ready)
    assert not np.allclose(drawn, swept.replays["preroll"].ready)


def test_nothing_is_fetched_and_text_is_text():
    one = make_series_proof("<img src=x onerror=alert(1)>", frontier=False)
    proof = replace(make_proof(one), notices=("</script><b>bold</b>",))
    page = proof_page(proof, title="<i>t</i>")
    assert page.count("* plotly.js v") == 1
    head, _, _ = page.partition("* plotly.js v")
    assert not re.search(r"<(img|iframe|object)|<link(?! rel=.icon. href=.data:)", head)
    assert not re.search(r"<script[^>]*\ssrc=|url\(|@import", head)
    assert "<i>t" not in page
    assert "<b>bold" not in page
    assert len(page) < 6_000_000


def test_nights_on_which_preroll_was_worse_have_a_close_up():
    one = make_series_proof(frontier=False)
    replays = dict(one.replays)
    replays["preroll"], replays["hpa"] = (
        replace(replays["hpa"], name="preroll", setting={"quantile": 0.98, "utilisation": 1.0}),
        replace(replays["preroll"], name="hpa", setting={"utilisation": 0.7}),
    )
    page = proof_page(make_proof(replace(one, replays=replays)), title="Worse")
    assert "On 3 of 3 days, as they ran and so with different slack; the worst first." in page
    assert list(figures(page)) == ["replay", "night-1", "night-2", "peak", "calibration"]
    assert 'class="verdict worse"' in page or 'class="verdict mixed"' in page
    assert page.count("class=bad") == 3
    assert re.search(r"<h3>\w{3} \d Jun, around 20:\d\d: \d+ replicas missing", page)


def test_where_the_hpa_alone_is_best_both_are_shown_as_they_ran(swept):
    alone = build_frontier(
        [
            SweptPoint("hpa", {"utilisation": 0.8}, 0.004, 0.05),
            SweptPoint("preroll", {"quantile": 0.9, "utilisation": 1.0}, 0.004, 0.9),
        ]
    )
    page = proof_page(make_proof(replace(swept, frontier=alone)), title="Level")
    assert 'class="verdict level"' in page
    assert "As they ran. Preroll: 0.98 quantile" in page
    assert "tiles" not in page.split("</style>")[1].split("<h2>")[0]


def test_several_series_have_a_table_and_the_largest_are_shown_whole():
    given = [make_series_proof(name, frontier=False) for name in "abcd"]
    quiet = given[0].series
    small = replace(quiet, rate_rps=quiet.rate_rps / 9)
    given[0] = replace(given[0], span=type(given[0].span)(small, given[0].span.start))
    page = proof_page(make_proof(*given), title="Four")
    assert headings(page)[:2] == ["Each series", "b"]
    assert {name.split("-")[0] for name in figures(page)} == {"s1", "s2", "s3"}
    assert "a" not in headings(page)
    assert page.count("<td>a</td>") == 1


def test_the_outlooks_band_and_errors_are_shown_where_there_is_a_day_ahead_report(swept):
    holdout = hold_out(swept.series, RollingOrigin(timedelta(days=3)))
    tasks = origin_tasks([holdout], OutlookConfig(zoo=False), {"seasonal_naive": seasonal_naive})
    unit = InputUnit("requests", 300.0)
    report = build_report(
        [holdout], [forecast_origin(task) for task in tasks], (0.1, 0.5, 0.9), unit
    )
    page = proof_page(replace(make_proof(swept), day_ahead=report), title="Outlook")
    assert "The outlook, a day ahead" in headings(page)
    (band,) = [
        trace
        for trace in figures(page)["replay"]["data"]
        if trace.get("name") == "outlook, 0.1 to 0.9"
    ]
    drawn = np.frombuffer(b64decode(band["y"]["bdata"]), dtype="f8")
    told = np.concatenate(
        [one.forecasts[2] for one in report.series["streaming/player-api"].origins]
    )
    assert np.allclose(drawn, told)
