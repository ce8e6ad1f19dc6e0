"""The keys of preroll.yaml below ``kubernetes``: whether to read the cluster, and how."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from forecaster.settings.fields import KubernetesLabel, LeadTime, Text
from forecaster.settings.source_shape import Shape

__all__ = ["KubernetesShape"]


class KubernetesShape(Shape):
    """What is read of the cluster that Preroll runs in; everything else works without it."""

    watch: bool = Field(
        default=False,
        description="Read ScaledObjects, HPAs, Deployments, pods and quotas, and follow them.",
        examples=[True],
    )
    namespaces: list[KubernetesLabel] = Field(
        default=[],
        description="Only these; left out, all.",
        examples=[["streaming", "accounts"]],
    )
    annotations: bool = Field(
        default=True,
        description="Take in the workloads that ScaledObjects declare by annotations below "
        "preroll.io/.",
        examples=[True],
    )
    nodes: bool = Field(
        default=False,
        description="Read the nodes as well: whether a plan fits on them, and what a new one costs "
        "in time. A right for the whole cluster.",
        examples=[True],
    )
    events: bool = Field(
        default=True,
        description="Say what is wrong with an object as a Kubernetes Event on it.",
        examples=[True],
    )
    node_lead_time: LeadTime = Field(
        default=timedelta(minutes=5),
        description='From "value served" to "pod ready" where a node has to come first, until it '
        "is measured; head-room goes by it.",
        examples=["6m"],
    )
    kubeconfig: Text | None = Field(
        default=None,
        description="Outside of a cluster: whose API server, as kubectl knows it.",
        examples=["~/.kube/config"],
    )
    context: Text | None = Field(
        default=None,
        description="The context of the kubeconfig; left out, its current one.",
        examples=["production"],
    )
