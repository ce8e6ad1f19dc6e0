from __future__ import annotations

from typing import Any

import pytest

from forecaster.events.importance import IMPORTANCE_WORDS, importance_of


@pytest.mark.parametrize(
    ("written", "importance"),
    [(4, 4), ("2", 2), (" 2.5 ", 2.5), (0, 0), (100, 100), *IMPORTANCE_WORDS.items(), ("HIGH", 4)],
)
def test_a_number_or_a_word_is_an_importance(written: Any, importance: float) -> None:
    assert importance_of(written) == importance


@pytest.mark.parametrize("written", ["", "huge", -1, 100.5, float("nan"), float("inf"), "1e9"])
def test_others_are_refused_with_what_would_do(written: Any) -> None:
    with pytest.raises(ValueError, match="a number from 0 to 100, or one of lowest"):
        importance_of(written)
