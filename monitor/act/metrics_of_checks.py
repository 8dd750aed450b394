"""The metrics of the checks beside the required ones: a part of the table in `metrics`.

What a check offers to be ruled on is a gauge by the same name; what has further labels has a row
here.
"""

from __future__ import annotations

from monitor.act.metric import Metric
from monitor.judge.offers import OFFERS

_LABELS = {"node": ("network", "node"), "quorum": ("network",)}

OFFERED_METRICS: tuple[Metric, ...] = tuple(
    Metric(offer.metric, "gauge", f"{offer.meaning}.", _LABELS[offer.subjects]) for offer in OFFERS
)
LABELLED_METRICS: tuple[Metric, ...] = ()
CHECK_METRICS: tuple[Metric, ...] = (*OFFERED_METRICS, *LABELLED_METRICS)
