from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import pytest
from prometheus_client import Counter
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import generate_latest as write_text
from prometheus_client.openmetrics.exposition import generate_latest as write_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from monitor.act.collector import registry_of, render
from monitor.act.exposition import Block, Labels, block_of, number, page
from monitor.act.instruments import Instruments
from monitor.judge.seen import HeadSeen
from monitor.model import BlockNumber, Snapshot
from tests.act import snapshots

OPENMETRICS = "application/openmetrics-text"


class Given(Collector):
    """Families as they were read."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Family]:
        yield from self._families


def in_use() -> Instruments:
    instruments = Instruments()
    instruments.reloaded(at=snapshots.NOW)
    for index, seconds in enumerate((0.001, 0.005, 0.3, 11.0, 1e-7)):
        for node in ("local", "ethereum/a"):
            calls = instruments.rpc_call_seconds.labels(node=node, method=f"eth_{index % 2}")
            calls.observe(seconds)
    instruments.internal_errors.labels(place='a "place"\\with\nall').inc(1_234_567)
    instruments.notifications.labels(channel="oncall", outcome="sent").inc()
    instruments.told_at["oncall"] = snapshots.NOW
    return instruments


def odd() -> Snapshot:
    """Numbers and words that are not written as one would think."""
    healthy = snapshots.healthy('quo"ted', "back\\slash", "line\nend")
    head = snapshots.head_at(snapshots.TIP)
    huge = HeadSeen(type(head)(BlockNumber(2**256 - 1), head.hash, head.parent_hash, 0), None)
    lie = snapshots.observed('quo"ted', "head", huge)
    return type(healthy)(
        at=healthy.at,
        verdict=healthy.verdict,
        observations=(*healthy.observations[:3], lie, *healthy.observations[6:]),
        networks=healthy.networks,
        endpoints=healthy.endpoints,
        ready=True,
    )


SNAPSHOTS = {**snapshots.SITUATIONS, "fleet": snapshots.fleet(20), "odd": odd()}


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_page_is_the_library_s_to_the_byte(name: str) -> None:
    """In both formats it is what prometheus_client writes of the same families.

    The process's own numbers change from page to page, so both are written from what was read.
    """
    read = registry_of(SNAPSHOTS[name], in_use())
    blocks = list(read.collect())
    openmetrics = page(blocks, openmetrics=True)
    families = Given(parse_openmetrics(openmetrics.decode()))  # type: ignore[no-untyped-call]
    assert write_openmetrics(families) == openmetrics  # type: ignore[no-untyped-call]
    assert write_text(families) == page(blocks, openmetrics=False)


def test_histogram_is_the_library_s() -> None:
    """Counts, sums and order are those that the library itself would have collected."""
    instruments = in_use()
    networks = {"local": "ethereum", "ethereum/a": "ethereum"}
    (family,) = instruments.rpc_call_seconds.collect()
    for sample in family.samples:
        sample.labels["network"] = networks[sample.labels["node"]]
    body, _ = render(registry_of(snapshots.healthy(), instruments), OPENMETRICS)
    theirs = write_openmetrics(Given([family])).decode()  # type: ignore[no-untyped-call]
    assert theirs.removesuffix("# EOF\n") in body.decode()


@pytest.mark.parametrize(
    "value",
    [
        *(0.0, -0.0, 1.0, 0.1, 1e-7, 999_999.0, 999_999.999, 1e6, 1_234_567.0, 1_795_000_000.123),
        *(1e15, 1e16, 1e21, float(2**256), -1.0, -1e6, math.inf, -math.inf, math.nan),
    ],
)
def test_number_is_written_as_go_writes_it(value: float) -> None:
    """The short way for small numbers writes what the long one would."""
    assert number(value) == floatToGoString(value)  # type: ignore[no-untyped-call]


def test_labels_are_written_in_the_order_of_the_alphabet() -> None:
    """Given in the order of the table; with none there are no braces."""
    assert Labels(("network", "check", "node")).text(("n", "c", "x")) == (
        '{check="c",network="n",node="x"}'
    )
    assert Labels(("node",)).text(("50 %s",)) == '{node="50 %s"}'
    assert Labels(()).text(()) == ""
    with pytest.raises(ValueError, match="expected 1 labels, found 2"):
        Labels(("node",)).text(("a", "b"))


def test_family_without_samples_still_says_what_it_is() -> None:
    """A counter that nobody has counted yet is declared, as the library does."""
    (family,) = Counter("things", "Of them.", ("kind",), registry=None).collect()
    assert page([block_of(family)], openmetrics=False) == (
        b"# HELP things_total Of them.\n# TYPE things_total counter\n"
    )


def test_help_is_escaped_as_each_format_wants_it() -> None:
    """Prometheus' text leaves quotes alone, OpenMetrics does not."""
    block = Block("a_seconds", 'say "x"\\\n', "gauge", "seconds")
    assert block.text_head().startswith('# HELP a_seconds say "x"\\\\\\n\n')
    assert block.openmetrics_head().startswith('# HELP a_seconds say \\"x\\"\\\\\\n\n')
    assert block.openmetrics_head().endswith("# UNIT a_seconds seconds\n")
