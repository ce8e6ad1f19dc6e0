"""The PromQL that prometheus-adapter sends for a metric of an HPA, as KEDA's trigger needs it.

The adapter's templates are filled in as it does it (``BuildExternal`` and ``Build`` of its
``metrics_query.go``). HPA adds up what several results say; KEDA refuses several results. So what
may give several is summed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forecaster.migration.adapter import AdapterRule

__all__ = ["AdapterQuery", "LabelRequirement", "expand", "external_query", "object_query"]

_ACTION = re.compile(r"(?:\s*<<-|<<)\s*(.*?)\s*(?:->>\s*|>>)")
_BY_NAME = re.compile(r"index\s+\.LabelValuesByName\s+\"([^\"]+)\"|\.LabelValuesByName\.(\w+)")
_AGGREGATED = re.compile(r"(?:sum|avg|min|max|count)\s*(?:by\s*\(\s*\)\s*)?\(", re.IGNORECASE)
_BY_NOTHING = re.compile(r"\s*(?:by\s*\(\s*\)\s*)?\Z", re.IGNORECASE)
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class LabelRequirement:
    """One requirement of a label selector: an operator of Kubernetes, and its values."""

    key: str
    operator: str = "In"
    values: tuple[str, ...] = ()
    equals: bool = False

    def matcher(self, values: Sequence[str]) -> str | None:
        """As PromQL has it; None for an operator that the adapter refuses."""
        joined = "|".join(values)
        if self.operator in ("Exists", "DoesNotExist"):
            sign = "!=" if self.operator == "Exists" else "="
            return f'{self.key}{sign}""' if not values else None
        if not values or self.operator not in ("In", "NotIn"):
            return None
        if self.equals and len(values) == 1:
            return f"{self.key}={json.dumps(joined, ensure_ascii=False)}"
        sign = "=~" if self.operator == "In" else "!~"
        return f"{self.key}{sign}{json.dumps(joined, ensure_ascii=False)}"


@dataclass(frozen=True)
class AdapterQuery:
    """What comes of a rule: the query, or else why there is none."""

    promql: str = ""
    why_not: str = ""


def external_query(
    rule: AdapterRule, series: str, namespace: str, selector: Iterable[LabelRequirement]
) -> AdapterQuery:
    """The query of an External metric: the selector's labels, then the namespace's."""
    required = sorted(selector, key=lambda one: one.key)
    if rule.namespaced:
        label = rule.label_of("namespace")
        if label is None:
            return AdapterQuery(why_not="its rule does not say which label is the namespace")
        required.append(LabelRequirement(label, values=(namespace,), equals=True))
    return _filled(rule, series, required, "")


def object_query(
    rule: AdapterRule,
    series: str,
    namespace: str,
    selector: Iterable[LabelRequirement],
    resource: str,
    name: str,
    *,
    pattern: bool = False,
) -> AdapterQuery:
    """The query of an Object metric, or with a ``pattern`` of names that of a Pods metric."""
    required = sorted(selector, key=lambda one: one.key)
    if resource != "namespace":
        label = rule.label_of("namespace")
        if label is None:
            return AdapterQuery(why_not="its rule does not say which label is the namespace")
        required.append(LabelRequirement(label, values=(namespace,), equals=True))
    group = {"deployment": "apps", "statefulset": "apps", "ingress": "networking.k8s.io"}
    own = rule.label_of(resource, group.get(resource, ""))
    if own is None:
        return AdapterQuery(why_not=f"its rule does not say which label is the {resource}")
    required.append(LabelRequirement(own, values=(name,), equals=not pattern))
    return _filled(rule, series, required, own)


def _filled(
    rule: AdapterRule, series: str, required: Sequence[LabelRequirement], group_by: str
) -> AdapterQuery:
    matchers, values = [], {}
    for one in required:
        matcher = one.matcher(one.values)
        if matcher is None:
            return AdapterQuery(
                why_not=f"its selector has {one.key} {one.operator}, which the adapter refuses"
            )
        matchers.append(matcher)
        values[one.key] = "|".join(one.values)
    for find, replace in rule.replaced if rule.external else ():
        values = {key: text.replace(find, replace) for key, text in values.items()}
    query, unknown = expand(rule.metrics_query, series, ",".join(matchers), group_by, values)
    if unknown:
        return AdapterQuery(why_not=f"its rule has <<{unknown}>>, which has to be done by hand")
    return AdapterQuery(query if _gives_one(query) else f"sum({query})")


def expand(
    template: str, series: str, matchers: str, group_by: str, values: dict[str, str]
) -> tuple[str, str]:
    """A ``metricsQuery`` filled in, and the first action in it that is not known, or nothing.

    >>> expand("sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)", "up", 'a="b"', "pod", {})
    ('sum(up{a="b"}) by (pod)', '')
    """
    unknown: list[str] = []

    def put(action: re.Match[str]) -> str:
        known = {".Series": series, ".LabelMatchers": matchers, ".GroupBy": group_by}
        said = action[1]
        if said in known:
            return known[said]
        by_name = _BY_NAME.fullmatch(said)
        if by_name is not None:
            return values.get(by_name[1] or by_name[2], "")
        unknown.append(said)
        return ""

    filled = _ACTION.sub(put, template)
    return " ".join(filled.split()), unknown[0] if unknown else ""


def _gives_one(query: str) -> bool:
    """Whether the whole query is one aggregation without labels, whose answer is one number."""
    head = _AGGREGATED.match(query)
    if head is None:
        return False
    depth, quoted = 0, ""
    for place, letter in enumerate(query):
        if quoted:
            quoted = "" if letter == quoted and query[place - 1] != "\\" else quoted
        elif letter in "\"'`":
            quoted = letter
        elif letter in _OPENING:
            depth += 1
        elif letter in _CLOSING:
            depth -= 1
            if depth == 0 and place >= head.end():
                return _BY_NOTHING.fullmatch(query[place + 1 :]) is not None
    return False
