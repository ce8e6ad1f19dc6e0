"""How each policy is called and drawn, the same in every figure and table."""

from __future__ import annotations

from dataclasses import dataclass

from forecaster.plots.style import RIVALS, TARGET

__all__ = ["PolicyLook", "policy_label", "policy_look"]


@dataclass(frozen=True)
class PolicyLook:
    """A policy's words, its colour, and a marker that is told apart without the colour."""

    label: str
    colour: str
    symbol: str = "circle"


_LOOKS = {
    "oracle": PolicyLook("perfect foresight", "#8c8c8c", "line-ew"),
    "hpa": PolicyLook("HPA alone", "#d98300", "square"),
    "schedule": PolicyLook("schedule + HPA", RIVALS[1], "diamond"),
    "exporter": PolicyLook("exporter + HPA", RIVALS[2], "cross"),
    "outlook": PolicyLook("day-ahead outlook + HPA", "#0072b2", "x"),
    "holt_winters": PolicyLook("Holt-Winters + HPA", RIVALS[4], "triangle-up"),
    "prophet": PolicyLook("Prophet + HPA", RIVALS[5], "star"),
    "preroll": PolicyLook("Preroll", TARGET, "circle"),
}


def policy_look(name: str) -> PolicyLook:
    """The look of a policy; one that is not known has its name, in grey."""
    return _LOOKS.get(name, PolicyLook(name, "#5c5c5c", "circle-open"))


def policy_label(name: str) -> str:
    """What people call it.

    >>> policy_label("hpa")
    'HPA alone'
    """
    return policy_look(name).label
