"""Numbers, settings and dates as a sentence has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from forecaster.backtest.policies import Setting

__all__ = ["day_words", "joined", "percent", "setting_words"]


def percent(ratio: float) -> str:
    """A ratio in percent, with as many digits as a reader can use.

    >>> [percent(r) for r in (0, 4e-7, 0.00086, 0.005, 0.061, 1.217, math.nan)]
    ['0 %', 'under 0.001 %', '0.086 %', '0.5 %', '6.1 %', '122 %', '–']
    """
    if not math.isfinite(ratio):
        return "–"
    value = abs(ratio) * 100
    sign = "−" if ratio < 0 else ""
    if value == 0:
        return "0 %"
    if value < 0.001:
        return "around 0 %" if sign else "under 0.001 %"
    if value < 0.95:
        return f"{sign}{float(f'{value:.2g}'):g} %"
    digits = 1 if value < 99.5 else 0
    return f"{sign}{value:,.{digits}f}".removesuffix(".0") + " %"


def setting_words(setting: Setting) -> str:
    """A policy's knobs in words.

    >>> setting_words({"quantile": 0.98, "utilisation": 1.0, "hold_down_seconds": 0.0})
    '0.98 quantile, HPA beneath at 100 %'
    >>> setting_words({"quantile": None, "utilisation": 0.95, "hold_down_seconds": None})
    'no floor: the HPA alone at 95 %'
    """
    own = {name: value for name, value in setting.items() if name != "utilisation"}
    utilisation = setting.get("utilisation")
    reactive = "" if utilisation is None else f"at {percent(utilisation)}"
    if own and all(value is None for value in own.values()):
        return f"no floor: the HPA alone {reactive}"
    words = []
    for name, value in own.items():
        if value is None:
            continue
        match name:
            case "quantile":
                words.append(f"{value:g} quantile")
            case "hold_down_seconds":
                if value:
                    words.append(f"held {value:g} s")
            case _:
                words.append(f"{name} {value:.3g}")
    if reactive:
        words.append(f"HPA beneath {reactive}" if own else f"target utilisation {reactive[3:]}")
    elif own:
        words.append("no HPA beneath")
    return ", ".join(words)


def day_words(day: date) -> str:
    """A day as people name it.

    >>> day_words(date(1998, 6, 13))
    'Sat 13 Jun'
    """
    return f"{day:%a} {day.day} {day:%b}"


def joined(parts: Sequence[str]) -> str:
    """A list within a sentence.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
