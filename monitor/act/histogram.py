"""The histogram of calls, as it is read: by child and in numbers, without a sample for each.

At two hundred nodes its samples are two thirds of a metrics page; making them as the library does
took longer than all else that is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from prometheus_client import Histogram

from monitor.act.exposition import number


class CallHistogram(Histogram):
    """The library's histogram, which it stays for whoever observes."""

    @property
    def bounds(self) -> tuple[str, ...]:
        """The upper bounds of its buckets, as they are written."""
        return tuple(number(bound) for bound in self._upper_bounds)

    def children(self) -> Iterator[tuple[dict[str, str], Sequence[float], float]]:
        """Of each child its labels, the counts of its buckets, not cumulative, and its sum."""
        with self._lock:
            children = cast("dict[tuple[str, ...], CallHistogram]", dict(self._metrics))
        for values, child in children.items():
            counts, total = child.counted()
            yield dict(zip(self._labelnames, values, strict=True)), counts, total

    def counted(self) -> tuple[Sequence[float], float]:
        """Of one child: the counts of its buckets, and its sum."""
        return [bucket.get() for bucket in self._buckets], self._sum.get()
