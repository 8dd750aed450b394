"""PromQL, written with the names that are exported: a renamed metric fails when a board is made."""

from __future__ import annotations

import re

from monitor.act.metrics import METRICS

JOB = 'job=~"$job"'
INSTANCE = 'instance=~"$instance"'
NETWORK = 'network=~"$network"'
RATE_WINDOW = "$__rate_interval"
"""Grafana makes it at least four scrapes long, so that a rate has its two samples."""
RANGE_WINDOW = "$__range"
"""All that the board shows: for a number that sums up, not for a curve."""
SCRAPED = ("job", "instance")
"""Labels that Prometheus adds to everything it scrapes."""

_LABELS = {name: metric.labels for metric in METRICS for name in metric.series}
_COUNTERS = {
    name for metric in METRICS for name in metric.series if metric.type in {"counter", "histogram"}
}
_MATCHER = re.compile(r'([a-z_]+)(=|!=|=~|!~)"[^"]*"')


def series(name: str, *matchers: str) -> str:
    """A selector that follows the board's variables; `matchers` are added as they are written.

    `name` is one under which Prometheus stores a metric, so with `_bucket` for a histogram's.
    Raises KeyError for a metric that is not exported, ValueError for a label that it lacks.
    """
    labels = _LABELS[name]
    for matcher in matchers:
        found = _MATCHER.fullmatch(matcher)
        if found is None or found[1] not in (*labels, "le"):
            message = f"{name} has the labels {', '.join(labels)}, which {matcher} does not match"
            raise ValueError(message)
    given = {matcher.split("=")[0].rstrip("!") for matcher in matchers}
    variables = (NETWORK,) if "network" in labels and "network" not in given else ()
    return f"{name}{{{', '.join((JOB, INSTANCE, *variables, *matchers))}}}"


def rate(name: str, *matchers: str) -> str:
    """How fast a counter grows, a second."""
    return f"rate({counted(name, *matchers)}[{RATE_WINDOW}])"


def increase(name: str, *matchers: str, window: str = RATE_WINDOW) -> str:
    """By how much a counter grew in a window."""
    return f"increase({counted(name, *matchers)}[{window}])"


def grown(name: str, *matchers: str, window: str = RATE_WINDOW) -> str:
    """The same of a counter that is exported from its first event on.

    `increase` needs a sample before that, and would say 0 of a mistake that was made once.
    """
    counter = counted(name, *matchers)
    grew = increase(name, *matchers, window=window)
    return f"({grew} > 0 or ({counter} unless {counter} offset {window}) or {grew})"


def counted(name: str, *matchers: str) -> str:
    """A selector of a counter. Raises ValueError for a gauge, whose rate would mean nothing."""
    if name not in _COUNTERS:
        message = f"{name} is not a counter"
        raise ValueError(message)
    return series(name, *matchers)


def quantile(q: float, histogram: str, by: str, *matchers: str) -> str:
    """A quantile of a histogram over the last window, one for each value of the labels `by`."""
    buckets = rate(f"{histogram}_bucket", *matchers)
    return f"histogram_quantile({q}, sum by ({by}, le) ({buckets}))"


def worst(by: str, expression: str) -> str:
    """The highest of each: levels, lags and ages are worst where they are highest.

    Two headwatches may watch one network; the board then shows the worse word of the two.
    """
    return f"max by ({by}) ({expression})"


def values(label: str, name: str, *matchers: str) -> str:
    """The query of a variable: the values that a label has. It follows the variables before it."""
    if label not in (*_LABELS[name], *SCRAPED):
        message = f"{name} has no label {label}"
        raise ValueError(message)
    chosen = f"{{{', '.join(matchers)}}}" if matchers else ""
    return f"label_values({name}{chosen}, {label})"
