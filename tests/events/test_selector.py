from __future__ import annotations

import time

import pytest

from forecaster.events import EVERY_WORKLOAD, Selector


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (EVERY_WORKLOAD, True),
        (Selector(namespaces=("video",)), True),
        (Selector(namespaces=("vid",)), False),
        (Selector(namespaces=("vid*",)), True),
        (Selector(namespaces=("news", "video")), True),
        (Selector(workloads=("player-api",)), True),
        (Selector(workloads=("video/player-api",)), True),
        (Selector(workloads=("news/player-api",)), False),
        (Selector(workloads=("*/player-*",)), True),
        (Selector(workloads=("player",)), False),
        (Selector(workloads=("Player-api",)), False),
        (Selector(labels=(("tier", "edge"),)), True),
        (Selector(labels=(("tier", "edge"), ("team", "x"))), False),
        (Selector(("video",), ("other",)), False),
        (Selector(("news",), ("player-api",)), False),
        (Selector(("video",), ("player-*",), (("tier", "edge"),)), True),
    ],
)
def test_every_part_that_is_given_must_fit(selector: Selector, selected: bool) -> None:
    assert selector.matches("video", "player-api", {"tier": "edge", "app": "p"}) is selected


def test_a_label_that_is_not_there_does_not_fit() -> None:
    assert not Selector(labels=(("tier", ""),)).matches("video", "player-api")


def test_only_what_is_empty_selects_everything() -> None:
    assert EVERY_WORKLOAD.everything
    assert not Selector(labels=(("a", "b"),)).everything


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    began = time.process_time()
    assert not Selector(workloads=("*a" * 100 + "b",)).matches("video", "a" * 253)
    assert time.process_time() - began < 1
