"""What a metric is: one row of the table in `metrics`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MetricType = Literal["gauge", "counter", "histogram", "info"]
UNITS = ("seconds", "blocks", "bytes", "wei")


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table: a family of series."""

    name: str
    """As it is queried; of a histogram without `_bucket`, `_sum` and `_count`."""
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The name without the suffix that its type brings (OpenMetrics 1.0)."""
        return self.name.removesuffix("_total").removesuffix("_info")

    @property
    def unit(self) -> str:
        """The base unit that the name ends with; empty where it is a number of things."""
        last = self.family.rsplit("_", 1)[-1]
        return last if last in UNITS else ""

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which Prometheus stores it."""
        if self.type == "histogram":
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)
