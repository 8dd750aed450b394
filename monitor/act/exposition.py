"""Metric families as text, written once and quickly: what a scraper reads.

prometheus_client's own writer checks every label of every sample, which at two hundred nodes held
up the loop for longer than it should ever wait. Here the labels of a row are checked once, by the
table that declares them; the text is the same to the byte, and a test holds it to that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter

from prometheus_client.core import Exemplar
from prometheus_client.core import Metric as Family
from prometheus_client.utils import floatToGoString

PLAIN_BELOW = 1_000_000.0
"""Go writes numbers from here on with an exponent."""
WORDS_MAX = 8192
"""Words whose quoting is remembered: names of nodes and checks, on every page the same."""


@dataclass(frozen=True, slots=True)
class Block:
    """One family: what is said of it, and its samples as finished lines."""

    name: str
    """Without the suffix that its type brings (OpenMetrics 1.0)."""
    help: str
    type: str
    unit: str
    lines: list[str] = field(default_factory=list)
    exemplars: dict[int, str] = field(default_factory=dict)
    """Written behind the line of this index, in OpenMetrics: Prometheus' text knows none."""

    def text_head(self) -> str:
        """As Prometheus' text 0.0.4 begins it: that knows no units, and no type `info`."""
        name = self.name + {"counter": "_total", "info": "_info"}.get(self.type, "")
        kind = "gauge" if self.type == "info" else self.type
        words = self.help.replace("\\", r"\\").replace("\n", r"\n")
        return f"# HELP {name} {words}\n# TYPE {name} {kind}\n"

    def openmetrics_head(self) -> str:
        unit = f"# UNIT {self.name} {self.unit}\n" if self.unit else ""
        words = escaped(self.help)
        return f"# HELP {self.name} {words}\n# TYPE {self.name} {self.type}\n{unit}"


class Labels:
    """The labels of one row: given in the order of the table, written in that of the alphabet."""

    def __init__(self, names: Sequence[str]) -> None:
        order = sorted(range(len(names)), key=lambda index: names[index])
        self._count = len(names)
        self._sorted = itemgetter(*order) if len(names) > 1 else tuple
        pairs = ",".join(f'{names[index]}="%s"' for index in order)
        self._shape = f"{{{pairs}}}" if pairs else ""

    def text(self, values: Sequence[str]) -> str:
        """With the braces. Raises ValueError for another number of values than of names."""
        if len(values) != self._count:
            message = f"expected {self._count} labels, found {len(values)}"
            raise ValueError(message)
        return self._shape % self._sorted(tuple(map(escaped, values)))


@lru_cache(maxsize=WORDS_MAX)
def escaped(value: str) -> str:
    """A label's value, or OpenMetrics' help, as both formats quote it."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def number(value: float) -> str:
    """As Go writes it."""
    if 0.0 <= value < PLAIN_BELOW:
        return repr(value)
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]


def block_of(family: Family) -> Block:
    """A family that the library has collected: a few samples, at its own pace."""
    block = Block(family.name, family.documentation, family.type, family.unit)
    for sample in family.samples:
        pairs = _pairs(sample.labels)
        braces = f"{{{pairs}}}" if pairs else ""
        if sample.exemplar is not None:
            block.exemplars[len(block.lines)] = exemplar_text(sample.exemplar)
        block.lines.append(f"{sample.name}{braces} {number(float(sample.value))}\n")
    return block


def exemplar_text(exemplar: Exemplar) -> str:
    """One observation of those that a bucket counts (OpenMetrics 1.0, Exemplars)."""
    at = "" if exemplar.timestamp is None else f" {exemplar.timestamp}"
    return f" # {{{_pairs(exemplar.labels)}}} {number(exemplar.value)}{at}"


def _pairs(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{escaped(value)}"' for name, value in sorted(labels.items()))


def histogram_lines(
    name: str,
    buckets: Sequence[str],
    children: Iterable[tuple[Mapping[str, str], Sequence[float], float]],
) -> list[str]:
    """The samples of a histogram: of each child its labels, counts by bucket, and sum.

    `buckets` are the upper bounds as they are written; counts are not cumulative.
    """
    lines = []
    starts = [f'{name}_bucket{{le="{bound}",' for bound in buckets]
    for labels, counts, total in children:
        # `le` comes first in the alphabet of the names that we use.
        pairs = ",".join(f'{key}="{escaped(labels[key])}"' for key in sorted(labels))
        so_far = 0.0
        for start, count in zip(starts, counts, strict=True):
            so_far += count
            lines.append(f"{start}{pairs}}} {number(so_far)}\n")
        lines.append(f"{name}_count{{{pairs}}} {number(so_far)}\n")
        lines.append(f"{name}_sum{{{pairs}}} {number(total)}\n")
    return lines


def page(blocks: Iterable[Block], *, openmetrics: bool) -> bytes:
    """All of it, in one of the two formats."""
    parts: list[str] = []
    for block in blocks:
        parts.append(block.openmetrics_head() if openmetrics else block.text_head())
        parts += _with_exemplars(block) if openmetrics and block.exemplars else block.lines
    if openmetrics:
        parts.append("# EOF\n")
    return "".join(parts).encode()


def _with_exemplars(block: Block) -> Iterator[str]:
    for index, line in enumerate(block.lines):
        said = block.exemplars.get(index)
        yield line if said is None else f"{line[:-1]}{said}\n"
