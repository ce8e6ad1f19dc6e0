from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from forecaster.migration.manifests import ManifestText, read_manifests
from forecaster.migration.moves import MoveOptions, Moves, plan_moves
from forecaster.migration.old_setup import OldSetup, read_old_setup
from tests.cluster.standin import StandIn

EXAMPLE = Path(__file__).parents[2] / "deploy" / "examples" / "migration"
PREFIX = "annotations.scaling.exporter."


def hpa(
    name: str = "player-api",
    metrics: list[dict[str, Any]] | None = None,
    window: tuple[str, str, str] | None = ("20:00:00", "23:30:00", "12"),
    namespace: str = "streaming",
    **spec: Any,
) -> dict[str, Any]:
    """An HPA under the exporter; ``window`` is start, end and replicas."""
    annotations = {}
    if window is not None:
        annotations = {
            f"{PREFIX}time.start": window[0],
            f"{PREFIX}time.end": window[1],
            f"{PREFIX}replica.min": window[2],
        }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 4,
            "maxReplicas": 200,
            "metrics": [exporter_metric(name)] if metrics is None else metrics,
            **spec,
        },
    }


def exporter_metric(name: str = "player-api", metric: str = "prescaling_metric") -> dict[str, Any]:
    return external(metric, {"deployment": name}, value="10")


def external(name: str, labels: dict[str, str], **target: Any) -> dict[str, Any]:
    """``value="10"`` or ``averageValue="120"``."""
    kind = "Value" if "value" in target else "AverageValue"
    return {
        "type": "External",
        "external": {
            "metric": {"name": name, "selector": {"matchLabels": labels}},
            "target": {"type": kind, **target},
        },
    }


def cpu(share: int = 60) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": share}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def deployment(
    name: str = "player-api", requests: str | None = "500m", namespace: str = "streaming"
) -> dict[str, Any]:
    resources = {} if requests is None else {"requests": {"cpu": requests}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "resources": resources}]}}},
    }


def event(
    name: str = "final",
    day: str = "2026-07-19",
    start: str = "20:30:00",
    end: str = "23:30:00",
    multiplier: Any = 3,
) -> dict[str, Any]:
    return {
        "apiVersion": "prescaling.bedrock.tech/v1",
        "kind": "PrescalingEvent",
        "metadata": {"name": name, "namespace": "prescaling"},
        "spec": {
            "date": day,
            "start_time": start,
            "end_time": end,
            "multiplier": multiplier,
            "description": f"the {name}",
        },
    }


RULES = {
    "externalRules": [
        {
            "seriesQuery": 'http_requests_total{deployment!=""}',
            "resources": {"overrides": {"namespace": {"resource": "namespace"}}},
            "name": {"matches": "^(.*)_total$", "as": "${1}_per_second"},
            "metricsQuery": "sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m]))",
        }
    ]
}


def example_objects() -> list[dict[str, Any]]:
    """The example set's objects, each as the API server would have it."""
    found = []
    for path in sorted(EXAMPLE.glob("*.yaml")):
        for one in yaml.safe_load_all(path.read_text()):
            found += one["items"] if one["kind"] == "List" else [one]
    return found


def put_objects(server: StandIn, objects: list[dict[str, Any]]) -> None:
    """Put them into a stand-in API server, in no order of theirs."""
    server.put_all(objects[::-1])


def read(*objects: dict[str, Any]) -> OldSetup:
    text = yaml.safe_dump_all(objects)
    return read_old_setup(read_manifests([ManifestText("given.yaml", text)]))


def moved(*objects: dict[str, Any], **options: Any) -> Moves:
    return plan_moves(read(*objects), MoveOptions(**options))


@pytest.fixture(scope="session")
def example() -> OldSetup:
    """The example set, as it is shipped."""
    texts = [ManifestText(one.name, one.read_text()) for one in sorted(EXAMPLE.glob("*.yaml"))]
    return read_old_setup(read_manifests(texts))


@pytest.fixture(scope="session")
def example_moves(example: OldSetup) -> Moves:
    return plan_moves(example, MoveOptions(timezone="Europe/Paris"))


@pytest.fixture
def note_texts() -> Callable[[Moves], list[str]]:
    """All notes of all workloads, each with what it is about."""
    return lambda moves: [
        f"{note.change}: {note.text}" for one in moves.workloads for note in one.notes
    ]
