"""Tables say what the proof says."""

from dataclasses import replace

import pytest

from forecaster.backtest import SweptPoint, build_frontier
from forecaster.plots import policy_table
from forecaster.plots.proof_tables import frontier_table, settings_table, shortage_table
from tests.backtest.proof_cases import make_series_proof


@pytest.fixture(scope="module")
def one():
    return make_series_proof(frontier=False)


def test_each_policy_has_its_measures_and_its_setting(one):
    table = policy_table(one.replays)
    rows = {row[0]: dict(zip(table.header, row, strict=True)) for row in table.rows}
    assert list(rows) == ["perfect foresight", "HPA alone", "schedule + HPA", "Preroll"]
    measures = one.replays["hpa"].measures
    assert rows["HPA alone"]["replica-hours"] == f"{measures.replica_hours:,.0f}"
    assert rows["HPA alone"]["setting"] == "target utilisation 70 %"
    assert rows["Preroll"]["setting"] == "0.98 quantile, HPA beneath at 100 %"
    assert rows["perfect foresight"]["slack"] == "0 %"
    assert "cost" not in table.header


def test_money_has_a_column_where_a_price_was_given(one):
    hpa = one.replays["hpa"]
    dear = replace(hpa, measures=replace(hpa.measures, cost=1234.5))
    table = policy_table({"hpa": dear, "preroll": one.replays["preroll"]})
    column = table.header.index("cost")
    assert [row[column] for row in table.rows] == ["1,234.50", "–"]


def test_the_frontiers_table_says_what_was_not_reached():
    frontier = build_frontier(
        [
            SweptPoint("hpa", {"utilisation": 0.8}, 0.004, 0.2),
            SweptPoint("preroll", {"quantile": 0.9, "utilisation": 1.0}, 0.0015, 0.05),
        ]
    )
    table = frontier_table(frontier)
    assert list(table.header) == ["policy", "at 1 %", "at 0.5 %", "at 0.2 %", "at 0.1 %"]
    assert table.rows == [
        ["HPA alone", "20 %", "20 %", "not reached", "not reached"],
        ["Preroll", "5 %", "5 %", "5 %", "not reached"],
        ["Preroll ÷ HPA", "0.25", "0.25", "–", "–"],
    ]
    assert settings_table(frontier, 0.002).rows == [
        ["HPA alone", "not reached"],
        ["Preroll", "0.9 quantile, HPA beneath at 100 %"],
    ]


def test_shortages_of_both_are_in_the_order_of_what_they_cost(one):
    pair = [one.replays["hpa"], one.replays["schedule"]]
    table = shortage_table(pair, one.span, "Europe/Paris")
    worst = max(
        (shortage for replay in pair for shortage in replay.shortages),
        key=lambda shortage: shortage.unserved_requests,
    )
    assert table.header[0] == "began (Europe/Paris)"
    assert table.rows[0][0].endswith(f"{worst.start.hour + 2:02}:{worst.start.minute:02}")
    assert table.rows[0][3] == str(worst.missing_replicas)
    assert {row[1] for row in table.rows} == {"HPA alone", "schedule + HPA"}
