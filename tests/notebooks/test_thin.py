"""Notebooks hold no logic, and are committed as they were executed.

``make notebooks`` executes them; this looks at what is in the repository.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
LOGIC = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.If, ast.Try, ast.Lambda)


def cells(path):
    return [
        one for one in json.loads(path.read_text("utf-8"))["cells"] if one["cell_type"] == "code"
    ]


def test_the_three_are_there():
    assert [path.stem for path in NOTEBOOKS] == [
        "01_traffic",
        "02_forecast_and_backtest",
        "03_replicas_and_frontier",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_calls_the_library_and_decides_nothing(path):
    for cell in cells(path):
        tree = ast.parse("".join(cell["source"]))
        found = [type(node).__name__ for node in ast.walk(tree) if isinstance(node, LOGIC)]
        assert found == [], "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_with_pictures_that_any_viewer_shows(path):
    assert path.stat().st_size < 1_000_000
    counts = [cell["execution_count"] for cell in cells(path)]
    assert counts == list(range(1, len(counts) + 1)), "executed from the top, once"
    for cell in cells(path):
        draws = re.search(r"^\w+_figure\(", "".join(cell["source"]), re.MULTILINE)
        pictures = [one for one in cell["outputs"] if "image/png" in one.get("data", {})]
        assert len(pictures) == (1 if draws else 0)
        assert not [one for one in cell["outputs"] if one.get("name") == "stderr"]
        assert not [one for one in cell["outputs"] if one["output_type"] == "error"]
        assert "/site-packages/" not in json.dumps(cell["outputs"])
