from datetime import timedelta

import pytest

from forecaster.keda import Existing, read_existing
from forecaster.planning.capacity import ScalingRule
from forecaster.settings import WorkloadSettings

# As kubectl prints it, with what the API server keeps for itself.
HPA = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: player
  namespace: streaming
  uid: 0f0c6a0e-6f0b-4d5e-8a3b-0d9b3b7a4f10
  resourceVersion: "4711"
  creationTimestamp: "2026-05-01T08:00:00Z"
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: "{}"
  managedFields:
    - {manager: kubectl, operation: Update, apiVersion: autoscaling/v2}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: player-api}
  minReplicas: 4
  maxReplicas: 200
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 60
      policies: [{type: Percent, value: 10, periodSeconds: 60}]
      selectPolicy: Max
    scaleDown:
      policies: [{type: Percent, value: 10, periodSeconds: 60}]
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 65}}
    - type: ContainerResource
      containerResource:
        {name: memory, container: app, target: {type: AverageValue, averageValue: 500Mi}}
    - type: External
      external:
        metric: {name: http_requests, selector: {matchLabels: {app: player, zone: a}}}
        target: {type: AverageValue, averageValue: 1500m}
status: {currentReplicas: 12, desiredReplicas: 12}
"""

SCALED_OBJECT = """\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: login-so
  namespace: accounts
  labels: {team: accounts, scaledobject.keda.sh/name: login-so}
  annotations:
    example.com/owner: accounts
    kubectl.kubernetes.io/last-applied-configuration: "{}"
  finalizers: [finalizer.keda.sh]
  generation: 3
spec:
  scaleTargetRef: {kind: StatefulSet, name: login, envSourceContainerName: app}
  minReplicaCount: 3
  maxReplicaCount: 60
  pollingInterval: 10
  cooldownPeriod: 600
  idleReplicaCount: 0
  fallback: {failureThreshold: 5, replicas: 8}
  advanced:
    restoreToOriginalReplicaCount: true
    horizontalPodAutoscalerConfig:
      behavior: {scaleDown: {stabilizationWindowSeconds: 600, tolerance: 0.05}}
  triggers:
    - type: prometheus
      name: log-ins
      metadata:
        serverAddress: http://prometheus:9090
        query: |
          sum(
            rate(logins_total[2m])
          )
        threshold: "120"
      authenticationRef: {name: prometheus}
    - type: kafka
      metadata: {bootstrapServers: "kafka:9092", consumerGroup: a, topic: b, lagThreshold: "50"}
status: {hpaName: keda-hpa-login-so}
"""


@pytest.fixture
def workload() -> WorkloadSettings:
    rule = ScalingRule(120, timedelta(minutes=5), min_replicas=4, max_replicas=200)
    return WorkloadSettings("streaming", "player-api", rule)


@pytest.fixture
def login() -> WorkloadSettings:
    rule = ScalingRule(30, timedelta(minutes=5), min_replicas=3, max_replicas=60)
    return WorkloadSettings("accounts", "login", rule)


@pytest.fixture
def hpa() -> Existing:
    """An HPA with resource metrics, one of a container, and one that comes from an adapter."""
    (one,) = read_existing(HPA, "hpa.yaml")
    return one


@pytest.fixture
def older() -> Existing:
    """A ScaledObject of a StatefulSet, without Preroll, with external triggers."""
    (one,) = read_existing(SCALED_OBJECT, "so.yaml")
    return one
