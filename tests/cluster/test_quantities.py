from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils.quantity import parse_quantity

from forecaster.cluster.quantities import quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500m", 0.5),
        ("100m", 0.1),
        ("2", 2.0),
        ("0.1", 0.1),
        (".5", 0.5),
        ("5.", 5.0),
        ("2Gi", 2.0 * 1024**3),
        ("128Ki", 131072.0),
        ("1k", 1000.0),
        ("1e3", 1000.0),
        ("12E2", 1200.0),
        ("1E", 1e18),
        ("3u", 3e-6),
        ("-1", -1.0),
        (4, 4.0),
        (0.25, 0.25),
    ],
)
def test_a_quantity_is_its_number(text: str | float, number: float) -> None:
    assert quantity(text) == number


@pytest.mark.parametrize(
    "text", ["", "m", "1 Gi", "1Kii", "1ki", "NaN", "Infinity", "1e", "0x1", "1Mb"]
)
def test_what_is_no_quantity_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="for example: 500m or 2Gi"):
        quantity(text)


@given(
    st.decimals(min_value=0, max_value=10**7, places=3),
    st.sampled_from(["", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e2", "E-3"]),
)
def test_it_agrees_with_the_official_client(number: object, suffix: str) -> None:
    text = f"{number}{suffix}"
    assert math.isclose(quantity(text), float(parse_quantity(text)), rel_tol=1e-12)
