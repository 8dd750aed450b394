"""What an expression reads, as the parser of Prometheus' language sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser

from monitor.act.alerts import RECORDING_RULES
from monitor.act.metric import Metric
from monitor.act.metrics import METRICS

SERIES: dict[str, Metric] = {name: metric for metric in METRICS for name in metric.series}
RECORDED = {rule.record: rule for rule in RECORDING_RULES}
FOREIGN = {"up": frozenset[str]()}
"""Of Prometheus itself."""
TARGET = frozenset({"job", "instance"})
RATES = frozenset({"rate", "increase"})


@dataclass(frozen=True, slots=True)
class Selected:
    """One selector of an expression, and where in it."""

    name: str
    labels: frozenset[str]
    inside: tuple[str, ...]
    """The functions around it, the outermost first."""
    is_first_seen: bool = False
    """Whether it is a counter of which is asked only whether it was there before."""


def selected(expr: str) -> list[Selected]:
    """Every selector of an expression. Raises ValueError for what is no PromQL."""
    return list(_selected(promql_parser.parse(expr), ()))


def _selected(node: promql_parser.Expr, inside: tuple[str, ...]) -> Iterator[Selected]:
    if isinstance(node, promql_parser.VectorSelector):
        labels = frozenset(matcher.name for matcher in node.matchers.matchers)
        yield Selected(node.name or "", labels, inside)
    elif isinstance(node, promql_parser.MatrixSelector):
        yield from _selected(node.vector_selector, inside)
    elif isinstance(node, promql_parser.Call):
        for argument in node.args:
            yield from _selected(argument, (*inside, node.func.name))
    elif isinstance(node, promql_parser.BinaryExpr):
        yield from _both(node, inside)
    elif isinstance(node, promql_parser.AggregateExpr | promql_parser.ParenExpr):
        yield from _selected(node.expr, inside)
    elif not isinstance(node, promql_parser.NumberLiteral | promql_parser.StringLiteral):
        message = f"a rule with a {type(node).__name__}: teach this file to read it"
        raise TypeError(message)


def _both(node: promql_parser.BinaryExpr, inside: tuple[str, ...]) -> Iterator[Selected]:
    for side in (node.lhs, node.rhs):
        for one in _selected(side, inside):
            first_seen = one.is_first_seen or _is_first_seen(node, one.name)
            yield Selected(one.name, one.labels, one.inside, first_seen)


def _is_first_seen(node: promql_parser.BinaryExpr, name: str) -> bool:
    """`X > 0 unless X offset 15m`: there now, and not there before."""
    text = " ".join(str(node).split())
    selector = re.escape(name) + r"\{[^}]*\}"
    return re.fullmatch(rf"({selector}) > 0 unless \1 offset \w+", text) is not None


def labels_of_selector(name: str) -> frozenset[str]:
    """The labels that a series has, beside those of the target."""
    if name in RECORDED:
        return _labels_of_rule(RECORDED[name].expr)
    metric = SERIES.get(name)
    if metric is None:
        return FOREIGN[name]
    return frozenset(metric.labels) | ({"le"} if name.endswith("_bucket") else set())


def _labels_of_rule(expr: str) -> frozenset[str]:
    """Those that all of its series have."""
    return frozenset.intersection(*(labels_of_selector(one.name) for one in selected(expr)))


def complaints(expr: str) -> Iterator[str]:
    """What an expression reads that is not there, or reads in the wrong way."""
    for one in selected(expr):
        if one.name not in SERIES | RECORDED | FOREIGN:
            yield f"{one.name} is not exported"
            continue
        unknown = one.labels - labels_of_selector(one.name) - TARGET
        if unknown:
            yield f"{one.name} has no label {', '.join(sorted(unknown))}"
        metric = SERIES.get(one.name)
        counts = metric is not None and metric.type in {"counter", "histogram"}
        if counts and not RATES & set(one.inside) and not one.is_first_seen:
            yield f"{one.name} is a counter outside rate and increase"
        if not counts and RATES & set(one.inside):
            yield f"{one.name} is no counter, and its rate says nothing"
