"""prometheus-adapter's rules: which series stands behind the name that an HPA asks for.

Its configuration is ``config.yaml`` of a ConfigMap, or a file of its own. ``rules`` answer Pods and
Object metrics (custom.metrics.k8s.io), ``externalRules`` answer External ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from forecaster.errors import EventFileError
from forecaster.migration.manifests import Manifest, as_mapping, as_texts
from forecaster.programme.yaml_data import read_yaml_documents

__all__ = ["AdapterRule", "read_adapter_rules"]

_SERIES = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{|\Z)")
_NAME_LABEL = re.compile(r"__name__\s*=\s*[\"']([^\"']+)[\"']")
_REFERENCE = re.compile(r"\$\{(\w+)\}|\$(\w+)|\$\$")
_AROUND_GROUP = re.compile(r"\^?([\w:]*)\(([^()]*)\)([\w:]*)\$?")
_PLURALS = {"ingresses": "ingress"}


@dataclass(frozen=True)
class AdapterRule:
    """One rule.

    ``labels`` has the Prometheus label of each Kubernetes resource (singular), ``template`` makes
    it of any other. ``filters`` are regular expressions of series names, and whether they must
    fit. ``replaced`` are the texts that are put for others in label values.
    """

    series_query: str
    metrics_query: str
    external: bool
    place: str
    labels: Mapping[str, str]
    template: str = ""
    namespaced: bool = True
    matches: str = ""
    name_as: str = ""
    filters: tuple[tuple[str, bool], ...] = ()
    replaced: tuple[tuple[str, str], ...] = ()

    def series_of(self, metric: str) -> str | None:
        """The series behind the metric of that name; None where this rule has no such metric."""
        for series in self._candidates(metric):
            if self._keeps(series) and self._named(series) == metric:
                return series
        return None

    def label_of(self, resource: str, group: str = "") -> str | None:
        """The label of a resource (``namespace``, ``pod``); None where the rule names none."""
        if resource in self.labels:
            return self.labels[resource]
        if not self.template:
            return None
        group = group.replace(".", "_").replace("-", "_")
        text = re.sub(r"<<-?\s*\.Group\s*-?>>", group, self.template)
        return re.sub(r"<<-?\s*\.Resource\s*-?>>", resource, text)

    def _candidates(self, metric: str) -> list[str]:
        """Series names that may be meant; the query names one, or the metric's name leads to it."""
        literal = _SERIES.match(self.series_query)
        named = _NAME_LABEL.search(self.series_query)
        found = [one[1] for one in (literal, named) if one is not None]
        if found:
            return found[:1]
        undone = _undone(metric, self._pattern, self._as)
        return [metric] if undone is None else [undone, metric]

    @property
    def _pattern(self) -> str:
        return self.matches or ".*"

    @property
    def _as(self) -> str:
        if self.name_as:
            return self.name_as
        try:
            groups = re.compile(self._pattern).groups
        except re.error:
            groups = 0
        return "$1" if groups == 1 else "$0"

    def _keeps(self, series: str) -> bool:
        wanted = [(self.matches, True)] if self.matches else []
        try:
            return all((re.search(p, series) is not None) is fits for p, fits in self.filters) and (
                all(re.search(p, series) is not None for p, _ in wanted)
            )
        except re.error:
            return False

    def _named(self, series: str) -> str | None:
        """The name in the API, by Go's ``Expand``: what no group has is empty."""
        try:
            match = re.search(self._pattern, series)
        except re.error:
            return None
        if match is None:
            return None
        found = match

        def group(reference: re.Match[str]) -> str:
            name = reference[1] or reference[2]
            if name is None:
                return "$"
            try:
                return found[int(name) if name.isdigit() else name] or ""
            except (IndexError, ValueError):
                return ""

        return _REFERENCE.sub(group, self._as)


def _undone(metric: str, pattern: str, name_as: str) -> str | None:
    """The series whose name becomes the metric's, where the pattern is text around one group."""
    around = _AROUND_GROUP.fullmatch(pattern)
    references = list(_REFERENCE.finditer(name_as))
    if around is None or len(references) != 1 or (references[0][1] or references[0][2]) != "1":
        return None
    before, after = name_as[: references[0].start()], name_as[references[0].end() :]
    if not (metric.startswith(before) and metric.endswith(after)):
        return None
    middle = metric[len(before) : len(metric) - len(after)]
    return f"{around[1]}{middle}{around[3]}"


def read_adapter_rules(manifests: Iterable[Manifest]) -> tuple[AdapterRule, ...]:
    """The rules of all configurations among the manifests, in their order."""
    found: list[AdapterRule] = []
    for one in manifests:
        if not one.kind and _is_configuration(one.data):
            found += _rules(one.data, one.place)
        if one.kind != "ConfigMap":
            continue
        for key, text in as_texts(one.data.get("data")).items():
            if "seriesQuery" not in text:
                continue
            place = f"{key} of {one.called}"
            try:
                documents = read_yaml_documents(text, place)
            except EventFileError:
                continue  # another program's file that has the word in it
            for document in documents:
                if _is_configuration(document.data):
                    found += _rules(document.data, place)
    return tuple(found)


def _is_configuration(data: Any) -> bool:
    return isinstance(data, dict) and bool({"rules", "externalRules"} & data.keys())


def _rules(data: Mapping[str, Any], place: str) -> list[AdapterRule]:
    found = []
    for key, external in (("rules", False), ("externalRules", True)):
        listed = data.get(key)
        for number, one in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(one, dict) and one.get("seriesQuery"):
                found.append(_rule(one, external, f"{place}, {key}[{number}]"))
    return found


def _rule(data: Mapping[str, Any], external: bool, place: str) -> AdapterRule:
    resources, name = as_mapping(data.get("resources")), as_mapping(data.get("name"))
    labels = {
        _singular(str(as_mapping(one).get("resource", ""))): str(label)
        for label, one in sorted(as_mapping(resources.get("overrides")).items())
    }
    filters = data.get("seriesFilters")
    replaced = data.get("labelValueReplacements")
    return AdapterRule(
        series_query=str(data["seriesQuery"]),
        metrics_query=str(data.get("metricsQuery") or "sum(<<.Series>>{<<.LabelMatchers>>})"),
        external=external,
        place=place,
        labels=labels,
        template=str(resources.get("template") or ""),
        namespaced=resources.get("namespaced") is not False,
        matches=str(name.get("matches") or ""),
        name_as=str(name.get("as") or ""),
        filters=tuple(
            (str(one.get("is") or one.get("isNot")), bool(one.get("is")))
            for one in (filters if isinstance(filters, list) else [])
            if isinstance(one, dict) and (one.get("is") or one.get("isNot"))
        ),
        replaced=tuple(
            (str(one.get("find") or ""), str(one.get("replace") or ""))
            for one in (replaced if isinstance(replaced, list) else [])
            if isinstance(one, dict) and one.get("find")
        ),
    )


def _singular(resource: str) -> str:
    resource = resource.lower()
    return _PLURALS.get(resource, resource.removesuffix("s") if resource != "ingress" else resource)
