from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

import pytest
from prometheus_client import Counter, Histogram
from prometheus_client.core import Exemplar, Timestamp
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import generate_latest as write_text
from prometheus_client.openmetrics.exposition import generate_latest as write_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from monitor.act.collector import registry_of, render
from monitor.act.exposition import Block, Labels, block_of, exemplar_text, number, page
from monitor.act.instruments import Instruments
from monitor.judge.seen import HeadSeen
from monitor.model import BlockNumber, Snapshot
from tests.act import snapshots
from tests.act.conftest import Serve, Stage
from tests.stack import Prometheus, get_json, prometheus_config

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


SNAPSHOTS = {
    **snapshots.SITUATIONS,
    "fleet": snapshots.fleet(20),
    "odd": odd(),
    "watching": snapshots.watching(snapshots.healthy()),
}


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


def paid() -> Histogram:
    """Two accounts, one of which has had a fast, a slow and a very slow transaction."""
    histogram = Histogram(
        "included_seconds",
        "Time.",
        ("network", "account"),
        unit="seconds",
        registry=None,
        buckets=(1.0, 120.0),
    )
    histogram.labels("ethereum", "quiet")
    account = histogram.labels("ethereum", 'pay"er')
    for index, seconds in enumerate((0.25, 12.5, 7.0, 1_234_567.5)):
        account.observe(seconds, {"tx_hash": snapshots.hash_of(index)})
    return histogram


def test_exemplars_are_the_library_s_to_the_byte() -> None:
    """Each bucket names the last transaction that fell into it; empty buckets name none."""
    families = list(paid().collect())
    written = page(map(block_of, families), openmetrics=True)
    assert written == write_openmetrics(Given(families))  # type: ignore[no-untyped-call]
    lines = [line for line in written.decode().splitlines() if " # " in line[1:]]
    named = [line.partition("tx_hash=")[2][1:67] for line in lines]
    assert named == [snapshots.hash_of(index) for index in (0, 2, 3)]


def test_exemplars_are_nothing_for_prometheus_text() -> None:
    """The older format knows none: there a page is the same with and without."""
    families = list(paid().collect())
    written = page(map(block_of, families), openmetrics=False)
    assert written == write_text(Given(families))
    assert b"tx_hash" not in written


def test_exemplar_without_a_time_has_none() -> None:
    """Prometheus then takes the time of the scrape."""
    hash_ = snapshots.hash_of(1)
    exemplar = Exemplar({"tx_hash": hash_}, 0.5)
    assert exemplar_text(exemplar) == f' # {{tx_hash="{hash_}"}} 0.5'
    timed = Exemplar({}, 2.0, Timestamp(7, 500_000_000))
    assert exemplar_text(timed) == " # {} 2.0 7.500000000"


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


class Exemplary(Prometheus):
    """It keeps exemplars, which is asked for by a flag."""

    def flags(self) -> Sequence[str]:
        return (*super().flags(), "--enable-feature=exemplar-storage")

    def named(self, metric: str) -> set[str]:
        """The transactions that the exemplars of a metric name."""
        asked = urlencode({"query": metric, "start": "1", "end": "9999999999"})
        found = get_json(f"{self.url}/api/v1/query_exemplars?{asked}")["data"]
        return {each["labels"]["tx_hash"] for series in found for each in series["exemplars"]}


@pytest.mark.wide
async def test_exemplars_are_kept_by_a_real_prometheus(
    serve: Serve, prometheus: Path, tmp_path: Path
) -> None:
    """It asks for OpenMetrics by itself, and finds the hash of a slow transaction there."""
    stage = Stage(snapshot=snapshots.watching(snapshots.healthy()))
    included = stage.instruments.tx_inclusion_seconds.labels(snapshots.NETWORK, "payer")
    hashes = {snapshots.hash_of(index): seconds for index, seconds in enumerate((4.0, 700.0))}
    for hash_, seconds in hashes.items():
        included.observe(seconds, {"tx_hash": hash_})
    client = await serve(stage)
    config = prometheus_config(targets={"headwatch": [f"127.0.0.1:{client.port}"]})
    with Exemplary(prometheus, tmp_path, config=config) as server:
        bucket = "headwatch_tx_inclusion_seconds_bucket"
        await asyncio.to_thread(
            server.wait, lambda: server.named(bucket) == set(hashes), 30.0, "told of them"
        )
