"""The few templates of other people's charts that a migration is about."""

from __future__ import annotations

from pathlib import Path

_API = """
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.external.metrics.k8s.io}
spec:
  group: external.metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  service: {name: SERVICE, namespace: NAMESPACE}
"""
_ADAPTER = """
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus-adapter}
data:
  config.yaml: |
    {{- if .Values.rules.external }}
    externalRules:
    {{- toYaml .Values.rules.external | nindent 4 }}
    {{- end }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: prometheus-adapter}
spec:
  selector: {matchLabels: {app: prometheus-adapter}}
  template:
    metadata: {labels: {app: prometheus-adapter}}
    spec: {containers: [{name: prometheus-adapter, image: prometheus-adapter}]}
"""
_EXPORTER = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: prescaling-exporter}
"""


def write_charts(folder: Path) -> None:
    """prometheus-adapter, keda and prescaling-exporter."""
    adapter_api = _API.replace("SERVICE", "prometheus-adapter").replace("NAMESPACE", "monitoring")
    keda_api = _API.replace("SERVICE", "keda-operator-metrics-apiserver")
    charts = {
        "prometheus-adapter": (
            "rules: {external: []}",
            {
                "adapter": _ADAPTER,
                "api": "{{- if .Values.rules.external }}" + adapter_api + "{{- end }}",
            },
        ),
        "keda": ("", {"api": keda_api.replace("NAMESPACE", "keda")}),
        "prescaling-exporter": ("", {"account": _EXPORTER}),
    }
    for name, (values, templates) in charts.items():
        (folder / name / "templates").mkdir(parents=True)
        about = f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n"
        (folder / name / "Chart.yaml").write_text(about)
        (folder / name / "values.yaml").write_text(values)
        for template, text in templates.items():
            (folder / name / "templates" / f"{template}.yaml").write_text(text)
