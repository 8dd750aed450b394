from __future__ import annotations

from monitor.act.histogram import CallHistogram


def histogram() -> CallHistogram:
    return CallHistogram("call_seconds", "Calls.", ("node",), registry=None, buckets=(0.1, 1.0))


def test_children_are_counted_by_bucket() -> None:
    """Each observation is in the bucket it fits in, and in no other; the sum is of all."""
    calls = histogram()
    for seconds in (0.05, 0.1, 0.5, 7.0):
        calls.labels(node="a").observe(seconds)
    calls.labels(node="b")
    assert list(calls.children()) == [
        ({"node": "a"}, [2.0, 1.0, 1.0], 7.65),
        ({"node": "b"}, [0.0, 0.0, 0.0], 0.0),
    ]
    assert calls.bounds == ("0.1", "1.0", "+Inf")


def test_children_may_come_and_go_while_they_are_read() -> None:
    """A page is drawn in a thread while the loop goes on counting."""
    calls = histogram()
    calls.labels(node="a").observe(0.5)
    reading = calls.children()
    next(reading)
    calls.labels(node="b").observe(0.5)
    calls.remove_by_labels({"node": "a"})
    assert list(reading) == []
    assert [labels for labels, _, _ in calls.children()] == [{"node": "b"}]
