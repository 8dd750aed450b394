"""Which fault meets which call."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.lab.errors import LabError
from monitor.lab.faults import Deck, Fault, Kind


def _deck(*faults: Fault, seed: int = 0) -> Deck:
    deck = Deck(seed, clock=lambda: 1000.0)
    deck.set(faults)
    return deck


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("no_such_kind", {}),
        ("lag", {}),
        ("lag", {"blocks": -1}),
        ("ahead", {}),
        ("latency", {}),
        ("slowloris", {}),
        ("http", {}),
        ("huge", {}),
        ("wrong_chain", {}),
        ("backwards", {"blocks": 0, "probability": 0.5}),
        ("backwards", {"blocks": 2}),
        ("finality_backwards", {}),
        ("tags_unordered", {"tag": "safe"}),
        ("date_skew", {}),
        ("timestamp_skew", {"seconds": 0.0}),
        ("removed_logs", {"count": 0}),
        ("ws_gap", {"every": 0}),
        ("lag", {"blocks": 1, "params": ("0x1",)}),
        ("hang", {"probability": 0.0}),
        ("hang", {"probability": 1.5}),
    ],
)
def test_fault_that_could_not_strike_is_refused(kind: Any, fields: dict[str, Any]) -> None:
    """A fault that would silently do nothing would make a scenario pass for no reason."""
    with pytest.raises(LabError, match=str(kind)):
        Fault(kind, **fields)


@pytest.mark.parametrize(
    ("methods", "struck"),
    [("*", True), ("eth_getBlock*", True), ("eth_blockNumber", False), ("net_*", False)],
)
def test_pick_by_glob_strikes_the_methods_concerned(methods: str, struck: bool) -> None:
    """The glob decides, against every method of the exchange."""
    deck = _deck(Fault("hang", methods=methods))
    found = deck.pick(("eth_chainId", "eth_getBlockByNumber"), "hang")
    assert (found is not None) is struck


def test_pick_of_another_kind_strikes_nothing() -> None:
    """Only the kinds asked for are looked at, and nothing is logged for the others."""
    deck = _deck(Fault("hang"))
    assert deck.pick(("eth_chainId",), "reset", "http") is None
    assert not deck.log


@pytest.mark.parametrize(
    ("faults", "calls", "is_idle"),
    [
        ((), "b", False),
        ((Fault("reset", methods="a"), Fault("hang")), "", True),
        ((Fault("reset", methods="a"), Fault("hang", methods="a")), "b", True),
        ((Fault("reset", methods="a"), Fault("hang")), "b", False),
    ],
    ids=["no-faults", "no-calls", "other-calls", "one-struck"],
)
def test_deck_whose_faults_met_no_call_is_idle(
    faults: tuple[Fault, ...], calls: str, is_idle: bool
) -> None:
    """Faults of which none struck are told from those of which one did, and from none."""
    deck = _deck(*faults)
    for call in calls:
        deck.pick((call,), "reset", "hang")
    assert deck.is_idle is is_idle
    deck.set(faults)
    assert deck.is_idle is bool(faults)


def test_pick_with_times_heals_by_itself() -> None:
    """A fault of two times strikes twice; setting it again gives it two more."""
    fault = Fault("reset", times=2)
    deck = _deck(fault)
    assert [deck.pick(("m",), "reset") for _ in range(3)] == [fault, fault, None]
    deck.set([fault])
    assert deck.pick(("m",), "reset") == fault


@pytest.mark.parametrize(("every", "struck"), [(1, "xxxxxx"), (2, ".x.x.x"), (3, "..x..x")])
def test_pick_with_every_strikes_each_nth_meeting(every: int, struck: str) -> None:
    """Calls that the fault does not concern are no meetings."""
    deck = _deck(Fault("reset", methods="a", every=every))
    told = ""
    for _ in range(6):
        assert deck.pick(("b",), "reset") is None
        told += "x" if deck.pick(("a",), "reset") else "."
    assert told == struck


@pytest.mark.parametrize(
    ("params", "struck"),
    [
        (("0xAB", "latest"), True),
        (("0xab",), True),
        (("0xcd", "0xab"), False),
        ((), False),
    ],
)
def test_pick_with_params_strikes_calls_that_begin_so(
    params: tuple[Any, ...], struck: bool
) -> None:
    """Addresses and hashes are the same in any case; further parameters are free."""
    deck = _deck(Fault("override", params=("0xaB",), result=1))
    assert (deck.pick(("m",), "override", params=params) is not None) is struck


def test_pick_with_probability_replays_with_the_seed() -> None:
    """The same seed gives the same pattern, another seed another, and about the right share."""

    def pattern(seed: int) -> list[bool]:
        deck = _deck(Fault("reset", probability=0.3), seed=seed)
        return [deck.pick(("m",), "reset") is not None for _ in range(400)]

    assert pattern(1) == pattern(1)
    assert pattern(1) != pattern(2)
    assert 80 < sum(pattern(1)) < 160


def test_log_names_kind_method_and_time_and_is_bounded() -> None:
    """Every strike is written down; the oldest go first."""
    deck = _deck(Fault("reset"))
    for _ in range(1001):
        deck.pick(("eth_chainId",), "reset")
    assert len(deck.log) == 1000
    newest = deck.log[-1]
    assert (newest.sequence, newest.at, newest.kind, newest.method) == (
        1001,
        1000.0,
        "reset",
        "eth_chainId",
    )


def test_delay_without_spread_is_the_median() -> None:
    """`sigma` 0 is a constant; with a spread half of the delays lie below the median."""
    assert _deck().delay_seconds(Fault("latency", seconds=0.2)) == 0.2
    deck, spread = _deck(), Fault("latency", seconds=0.2, sigma=1.0)
    below = sum(deck.delay_seconds(spread) < 0.2 for _ in range(400))
    assert 160 < below < 240


def test_first_of_two_faults_wins() -> None:
    """The order of the list decides between faults of kinds that exclude each other."""
    kinds: tuple[Kind, ...] = ("reset", "http")
    http = Fault("http", status=503)
    assert _deck(http, Fault("reset")).pick(("m",), *kinds) == http
