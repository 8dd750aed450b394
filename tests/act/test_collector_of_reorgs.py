"""Reorgs as Prometheus reads them: a counter and a histogram for each chain that is followed."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from monitor.act.collector import registry_of, render
from monitor.judge.trace import DEPTHS, ReorgSeen
from monitor.model import Observation, Snapshot, Unseen, reference_label
from tests.act.snapshots import NETWORK, NOW, TIP, node_facts, observations_of, snapshot_of

DEPTH = "headwatch_reorg_depth_blocks"
TOTAL = "headwatch_reorgs_total"


def counts(*depths: int) -> ReorgSeen:
    """What the probe has counted of reorgs of these depths."""
    bounds = [*DEPTHS, max((*DEPTHS, *depths))]
    tally = [0] * len(bounds)
    for depth in depths:
        tally[next(i for i, bound in enumerate(bounds) if depth <= bound)] += 1
    return ReorgSeen(total=len(depths), blocks_total=sum(depths), depths=tuple(tally))


def seen_of(node: ReorgSeen | Unseen, chain: ReorgSeen) -> Snapshot:
    facts = node_facts("local")
    snapshot = snapshot_of((), (facts,), observations_of("local", TIP))
    followed: tuple[Observation[object], ...] = (
        Observation("local", "reorg", NOW, 0.0, node),
        Observation(reference_label(NETWORK), "reorg", NOW, 0.0, chain),
    )
    return replace(snapshot, observations=(*snapshot.observations, *followed))


def samples(snapshot: Snapshot, *, of: str) -> dict[tuple[str, ...], float]:
    """The samples of a family by name, subject and bucket."""
    page, _ = render(registry_of(snapshot), "")
    return {
        (sample.name, sample.labels["node"] or sample.labels["reference"], *bucket): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
        if sample.name.startswith(of)
        for bucket in [[sample.labels["le"]] if "le" in sample.labels else []]
    }


def test_reorgs_are_counted_by_node_and_for_the_chain() -> None:
    """The references together are `quorum`, as in findings."""
    snapshot = seen_of(counts(1, 3), counts(1))
    assert samples(snapshot, of=TOTAL) == {(TOTAL, "local"): 2.0, (TOTAL, "quorum"): 1.0}


def test_depths_are_a_histogram_of_cumulative_buckets() -> None:
    """Each reorg is in the bucket of its depth and all above; the sum is the blocks replaced."""
    found = samples(seen_of(counts(1, 1, 7, 100), counts()), of=DEPTH)
    buckets = {
        key[2]: value for key, value in found.items() if key[:2] == (f"{DEPTH}_bucket", "local")
    }
    assert (buckets["1.0"], buckets["6.0"], buckets["8.0"]) == (2.0, 2.0, 3.0)
    assert (buckets["64.0"], buckets["+Inf"]) == (3.0, 4.0)
    assert found[f"{DEPTH}_count", "local"] == 4.0
    assert found[f"{DEPTH}_sum", "local"] == 109.0
    assert found[f"{DEPTH}_count", "quorum"] == 0.0


def test_reorgs_that_could_not_be_looked_for_have_no_sample() -> None:
    """No number that may be old."""
    snapshot = seen_of(Unseen("timeout", "no answer"), counts(2))
    assert {key[1] for key in samples(snapshot, of=DEPTH)} == {"quorum"}
    nobody = replace(snapshot, observations=())
    assert samples(nobody, of=DEPTH) == {}
    assert DEPTH not in render(registry_of(nobody), "")[0].decode()
