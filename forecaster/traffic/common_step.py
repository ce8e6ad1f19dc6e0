"""The one step of all series of a file: inferred, or asked for and checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from forecaster.durations import format_duration
from forecaster.traffic.formats.rows import Int64Array
from forecaster.traffic.ordered import OrderedSeries, Source
from forecaster.traffic.step import find_step_change, infer_step

__all__ = ["common_step", "forced_step", "regularity", "step_text"]

_MICROSECOND = timedelta(microseconds=1)
_REGULAR = 0.95
_FEWEST_SPACINGS = 8
_SAME_SPACING = 0.9
_OFF_STEP = 0.05


def common_step(source: Source, series: Sequence[OrderedSeries]) -> int:
    """The step in microseconds, inferred from all ``series`` together.

    Raises TrafficFileError where it changes half-way, or where a series has another one.
    """
    stamps = [one.stamps for one in series]
    step_us = infer_step([np.diff(one) for one in stamps])
    if regularity(stamps, step_us) < _REGULAR:  # blanks of joined series stand at others' stamps
        stamps = [one.rows.at_us for one in series]
        step_us = infer_step([np.diff(one) for one in stamps])
    for one, at_us in zip(series, stamps, strict=True):
        change = find_step_change(at_us, step_us)
        if change is not None:
            row = int(np.flatnonzero(one.raw.at_us == at_us[change.row])[0])
            message = (
                f"the step changes here, from {step_text(change.before_us)} to "
                f"{step_text(change.after_us)}; export all of it at one step, or split the file"
            )
            raise source.refusal(one.raw, message, row)
    for one in series:
        _refuse_other_step(source, one, step_us)
    return step_us


def _refuse_other_step(source: Source, one: OrderedSeries, step_us: int) -> None:
    spacing = np.diff(one.rows.at_us)
    own_us = infer_step([spacing])
    same = np.mean(spacing == own_us)
    if own_us == step_us or len(spacing) < _FEWEST_SPACINGS or same < _SAME_SPACING:
        return
    message = (
        f"its values are {step_text(own_us)} apart where the step is {step_text(step_us)}; export "
        f"all at one step. If the others are gaps, say so with --step {step_text(step_us)}"
    )
    raise source.refusal(one.raw, message, int(one.rows.row[1]), int(one.rows.row[0]))


def forced_step(source: Source, series: Sequence[OrderedSeries], step: timedelta) -> int:
    """The step that was asked for, in microseconds.

    A step finer than the rows makes gaps. Raises TrafficFileError where rows would have to be
    added up, or do not stand at multiples of the step.
    """
    step_us = step // _MICROSECOND
    asked = f"the step of {step_text(step_us)} that was asked for"
    for one in series:
        spacing = np.diff(one.rows.at_us)
        rows = one.rows.row
        close = np.flatnonzero(spacing < step_us / 2)
        if len(close):
            at = int(close[0]) + 1
            message = (
                f"the rows are {step_text(int(spacing[at - 1]))} apart, closer than {asked}; rows "
                f"are not added up. Export at {step_text(step_us)}, or leave the step out"
            )
            raise source.refusal(one.raw, message, int(rows[at]), int(rows[at - 1]))
        own_us = infer_step([spacing])
        steady = np.mean(np.abs(spacing / own_us - 1) <= _OFF_STEP) >= _SAME_SPACING
        if steady and abs(own_us / step_us - round(own_us / step_us)) > _OFF_STEP:
            message = (
                f"the rows are {step_text(own_us)} apart, which is no multiple of {asked}; leave "
                "the step out"
            )
            raise source.refusal(one.raw, message, int(rows[1]), int(rows[0]))
    return step_us


def regularity(stamps: Sequence[Int64Array], step_us: int) -> float:
    """The share of neighbouring stamps that are whole steps apart."""
    return float(np.mean(np.concatenate([np.diff(one) for one in stamps]) % step_us == 0))


def step_text(step_us: int) -> str:
    """A step in microseconds as people write it, like 5m."""
    return format_duration(step_us * _MICROSECOND)
