"""Resources of Argo Rollouts and Flagger, as far as our examples use them.

Written after `pkg/apis/rollouts/v1alpha1/analysis_types.go` of argo-rollouts and
`pkg/apis/flagger/v1beta1/canary.go` of flagger. A field that is not among these is a mistake: of
the example, or of this file, which then learns it.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Strict(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What is not known here is refused."""


class Metadata(Strict):
    name: str
    namespace: str


# -- Argo Rollouts -------------------------------------------------------------------------------


class Web(Strict):
    url: str
    json_path: str
    method: Literal["GET", "POST", "PUT"] = "GET"
    timeout_seconds: int = 10


class Job(Strict):
    spec: dict[str, Any]
    """A JobSpec, which Kubernetes' own schema judges."""


class Provider(Strict):
    web: Web | None = None
    job: Job | None = None


class Metric(Strict):
    name: str
    provider: Provider
    interval: str | None = None
    count: int | None = None
    failure_limit: int = 0
    inconclusive_limit: int = 0
    success_condition: str = ""
    failure_condition: str = ""


class Analysis(Strict):
    metrics: tuple[Metric, ...]


class AnalysisTemplate(Strict, tag_field="kind", tag="AnalysisTemplate"):
    api_version: Literal["argoproj.io/v1alpha1"]
    metadata: Metadata
    spec: Analysis


# -- Flagger -------------------------------------------------------------------------------------


class Webhook(Strict):
    name: str
    type: Literal["confirm-rollout", "rollout", "confirm-promotion", "rollback"]
    url: str
    timeout: str = "10s"


class CanaryAnalysis(Strict):
    interval: str
    threshold: int
    iterations: int
    webhooks: tuple[Webhook, ...]


class Target(Strict):
    api_version: Literal["apps/v1"]
    kind: Literal["Deployment", "DaemonSet"]
    name: str


class Port(Strict):
    port: int


class CanarySpec(Strict):
    target_ref: Target
    service: Port
    analysis: CanaryAnalysis


class Canary(Strict, tag_field="kind", tag="Canary"):
    api_version: Literal["flagger.app/v1beta1"]
    metadata: Metadata
    spec: CanarySpec


def read(document: Any) -> AnalysisTemplate | Canary:
    """One of them. Raises msgspec.ValidationError."""
    return msgspec.convert(document, AnalysisTemplate | Canary)


def condition(expression: str, result: object) -> bool:
    """A condition of Argo Rollouts, of the one kind that the examples use: `result == LITERAL`."""
    left, _, right = expression.partition(" == ")
    assert left == "result", expression
    return bool(result == msgspec.json.decode(right))


def json_path(expression: str, document: Any) -> Any:
    """What `{$.a.b}` names in a document; a name that is not there is a KeyError."""
    assert expression.startswith("{$.")
    assert expression.endswith("}")
    for name in expression[3:-1].split("."):
        document = document[name]
    return document
