"""Samples: bounded, and honest about where the past that is kept begins."""

from __future__ import annotations

from monitor.policy import samples as kept
from monitor.policy.measures import Subjects
from monitor.policy.samples import Sample, Samples, Stored, Subject

LAG, LATENCY = "head.lag_blocks", "rpc.latency_seconds"
NAMES: list[tuple[str, Subjects]] = [(LAG, "node"), (LATENCY, "node")]


def nodes(*names: str) -> dict[Subjects, tuple[Subject, ...]]:
    return {"node": tuple(Subject(f"node:{name}", "main") for name in names)}


def values(samples: Samples, subject: str = "node:a", name: str = LAG) -> list[float]:
    series = samples.series(name, subject)
    assert series is not None
    return [sample.value for sample in series.samples]


def test_samples_of_what_is_watched_are_kept_in_order() -> None:
    """By measure and subject; what nobody watches is dropped."""
    samples = Samples()
    samples.watch(NAMES, nodes("a", "b"), 100.0)
    for at in (1.0, 2.0):
        samples.add(LAG, "node:a", Sample(100.0 + at, at))
    samples.add(LAG, "node:c", Sample(101.0, 9.0))
    samples.add("fork.depth_blocks", "node:a", Sample(101.0, 9.0))
    assert values(samples) == [1.0, 2.0]
    assert values(samples, name=LATENCY) == values(samples, "node:b") == []
    assert samples.series(LAG, "node:c") is None
    assert samples.subjects == nodes("a", "b")


def test_samples_outlive_a_change_of_others() -> None:
    """A node that stays keeps its past; one that is gone is forgotten, and begins anew."""
    samples = Samples()
    samples.watch(NAMES, nodes("a", "b"), 100.0)
    samples.add(LAG, "node:a", Sample(101.0, 1.0))
    samples.add(LAG, "node:b", Sample(101.0, 1.0))
    samples.watch(NAMES, nodes("a"), 200.0)
    assert values(samples) == [1.0]
    samples.watch(NAMES, nodes("a", "b"), 300.0)
    one, other = samples.series(LAG, "node:a"), samples.series(LAG, "node:b")
    assert one is not None
    assert other is not None
    assert (one.began, other.began) == (100.0, 300.0)
    assert values(samples, "node:b") == []


def test_samples_are_measured_at_the_pace_that_was_said_last() -> None:
    """A pace that is configured anew is in force for what was watched before as well."""
    samples = Samples()
    for paces, expected in (({LAG: 600.0}, 600.0), ({LAG: 60.0}, 60.0), ({}, 0.0)):
        samples.watch(NAMES, nodes("a"), 100.0, paces=paces)
        one, other = samples.series(LAG, "node:a"), samples.series(LATENCY, "node:a")
        assert one is not None
        assert other is not None
        assert (one.every_seconds, other.every_seconds) == (expected, 0.0)


def test_samples_of_a_fleet_share_what_there_is() -> None:
    """However many nodes there are, no more is kept in all; what is forgotten moves the begin."""
    names = [f"n{i}" for i in range(kept.SAMPLES_COUNT_MAX // 40)]
    samples = Samples()
    samples.watch(NAMES, nodes(*names), 0.0)
    for at in range(1, 31):
        samples.add(LAG, "node:n0", Sample(float(at), float(at)))
    series = samples.series(LAG, "node:n0")
    assert series is not None
    assert values(samples, "node:n0") == [float(at) for at in range(11, 31)]
    assert series.began == 10.0


def test_samples_of_a_great_fleet_are_a_few_each() -> None:
    """Below this number nothing could be said at all."""
    samples = Samples()
    many = [f"n{i}" for i in range(kept.SAMPLES_COUNT_MAX // kept.SERIES_COUNT_MIN)]
    samples.watch(NAMES, nodes(*many), 0.0)
    for at in range(100):
        samples.add(LAG, "node:n0", Sample(float(at), float(at)))
    assert len(values(samples, "node:n0")) == kept.SERIES_COUNT_MIN


def test_samples_are_kept_for_a_day_and_up_to_a_number() -> None:
    """Neither time nor a fast chain lets a series grow without end."""
    samples = Samples()
    samples.watch(NAMES, nodes("a"), 0.0)
    for at in (0.0, 1.0, kept.SERIES_SECONDS_MAX, kept.SERIES_SECONDS_MAX + 0.5):
        samples.add(LAG, "node:a", Sample(at, at))
    assert values(samples) == [1.0, kept.SERIES_SECONDS_MAX, kept.SERIES_SECONDS_MAX + 0.5]
    for number in range(kept.SERIES_COUNT_MAX + 5):
        samples.add(LATENCY, "node:a", Sample(1.0, float(number)))
    assert len(values(samples, name=LATENCY)) == kept.SERIES_COUNT_MAX


def test_samples_where_nothing_is_watched_take_none() -> None:
    """A sidecar without gates remembers nothing."""
    samples = Samples()
    samples.watch([], nodes("a"), 0.0)
    samples.add(LAG, "node:a", Sample(1.0, 1.0))
    assert samples.series(LAG, "node:a") is None


def test_stored_value_takes_the_place_of_the_one_before() -> None:
    """Of a store there is one answer, the newest; or why there is none."""
    samples = Samples()
    path = "ledger.differences.count"
    samples.watch([(path, "ledger")], {"ledger": (Subject("ledger:drop", "main"),)}, 0.0)
    for value in (3.0, 0.0):
        samples.put(Stored(path, "ledger:drop", Sample(1.0, value)))
    assert values(samples, "ledger:drop", path) == [0.0]
    samples.put(Stored(path, "ledger:drop", None, "never reconciled"))
    series = samples.series(path, "ledger:drop")
    assert series is not None
    assert (list(series.samples), series.why_none) == ([], "never reconciled")
    samples.put(Stored(path, "ledger:other", Sample(1.0, 1.0)))
    assert samples.series(path, "ledger:other") is None
