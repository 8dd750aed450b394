from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1.compare import asked_of, compare
from monitor.poco.v1.state import NO_HASH, Contribution, ContributionStatus, State
from monitor.poco.v1.stored import Stored, StoredContribution, StoredWorkOrder
from tests.poco.v1.by_hand import (
    DATASET,
    FAILED,
    FAULTY,
    GOOD,
    HUB,
    IDLE,
    OWNER,
    PAID,
    POOL,
    REQUESTER,
    RIGHT,
    RUNNING,
    SCHEDULER,
    STRANGER,
    UNPAID,
    WRONG,
    ledger,
    named,
    stored_of,
    with_entry,
)


def found(stored: Stored) -> list[Difference]:
    return compare(ledger(), stored)


def the(stored: Stored) -> Difference:
    (difference,) = found(stored)
    return difference


def contribution(**more: Any) -> Stored:
    """The answers, with another contribution of GOOD to PAID."""
    stored = stored_of(ledger())
    was = stored.contributions[PAID, GOOD]
    assert was is not None
    return with_entry(stored, "contributions", (PAID, GOOD), replace(was, **more))


def test_compare_of_contracts_that_keep_the_rules_finds_nothing() -> None:
    """What is equal is not spoken of."""
    assert found(stored_of(ledger())) == []


@pytest.mark.parametrize("delta", [-1, 1, 10**30])
@pytest.mark.parametrize(("kind", "field"), [("stake", 0), ("locked", 1), ("score", None)], ids=str)
def test_compare_of_one_wrong_number_of_an_account_finds_it_alone(
    kind: str, field: int | None, delta: int
) -> None:
    """Account, field, both values and delta, be it one unit off; and nothing else."""
    stored = stored_of(ledger())
    if field is None:
        was = stored.scores[GOOD]
        stored = with_entry(stored, "scores", GOOD, was + delta)
    else:
        pair = list(stored.accounts[GOOD])
        was = pair[field]
        pair[field] += delta
        stored = with_entry(stored, "accounts", GOOD, tuple(pair))
    difference = the(stored)
    assert (difference.kind, difference.account, difference.task) == (kind, GOOD, None)
    assert (difference.predicted, difference.stored) == (was, was + delta)
    assert difference.delta == delta
    assert f"{was + delta}" in difference.why
    assert GOOD in difference.why


def test_compare_of_what_moved_between_free_and_locked_finds_both() -> None:
    """A silent unlock is two differences that cancel out."""
    stored = with_entry(stored_of(ledger()), "accounts", SCHEDULER, (972, 0))
    assert [(each.kind, each.delta) for each in found(stored)] == [("stake", 60), ("locked", -60)]


def test_compare_of_an_account_that_the_ledger_does_not_know_predicts_nothing() -> None:
    """Whoever never deposited and never was rewarded has 0 of all."""
    stored = with_entry(stored_of(ledger()), "accounts", STRANGER, (3, 0))
    stored = with_entry(stored, "scores", STRANGER, 1)
    assert [(each.kind, each.predicted, each.stored) for each in found(stored)] == [
        ("score", 0, 1),
        ("stake", 0, 3),
    ]


@pytest.mark.parametrize(
    ("status", "word"), [(0, "unset"), (1, "active"), (2, "revealing"), (3, "claimed"), (9, "9")]
)
def test_compare_of_a_work_orders_status_names_both_words(status: int, word: str) -> None:
    """A status is told as a word; a number that no status has is told as it is."""
    stored = stored_of(ledger())
    wrong = replace(stored.work_orders[PAID], status=status)
    difference = the(with_entry(stored, "work_orders", PAID, wrong))
    assert (difference.kind, difference.account, difference.task) == ("status", None, PAID)
    assert (difference.predicted, difference.stored) == ("completed", word)
    assert difference.delta is None


def test_compare_of_another_consensus_names_both_hashes() -> None:
    """The result that the pool agreed on is compared too."""
    stored = stored_of(ledger())
    wrong = replace(stored.work_orders[PAID], consensus=WRONG)
    difference = the(with_entry(stored, "work_orders", PAID, wrong))
    assert (difference.predicted, difference.stored) == (RIGHT, WRONG)
    assert "consensus" in difference.why


def test_compare_of_a_work_order_that_the_ledger_does_not_know_predicts_unset() -> None:
    """A work order without a log is one difference, not one for each of its fields."""
    wrong = StoredWorkOrder(1, RIGHT, 100, 30, 1)
    difference = the(with_entry(stored_of(ledger()), "work_orders", STRANGER, wrong))
    assert (difference.predicted, difference.stored) == ("unset", "active")


@pytest.mark.parametrize(
    ("field", "value", "kind", "predicted", "told", "delta"),
    [
        ("status", 4, "status", "proved", "rejected", None),
        ("status", 9, "status", "proved", "9", None),
        ("result_hash", WRONG, "status", RIGHT, WRONG, None),
        ("is_enclave", True, "status", "unset", "set", None),
        ("score", 3, "contribution_score", 4, 3, -1),
        ("score", 5, "contribution_score", 4, 5, 1),
        ("weight", 0, "weight", 3, 0, -3),
        ("weight", 4, "weight", 3, 4, 1),
    ],
)
def test_compare_of_one_wrong_field_of_a_contribution_finds_it_alone(  # noqa: PLR0917
    field: str,
    value: object,
    kind: str,
    predicted: object,
    told: object,
    delta: int | None,
) -> None:
    """Worker, work order, field and delta."""
    difference = the(contribution(**{field: value}))
    assert (difference.kind, difference.account, difference.task) == (kind, GOOD, PAID)
    assert (difference.predicted, difference.stored) == (predicted, told)
    assert difference.delta == delta


def test_compare_of_a_challenge_that_is_gone_says_so() -> None:
    """The enclave challenge is compared both ways."""
    stored = stored_of(ledger())
    was = stored.contributions[RUNNING, GOOD]
    assert was is not None
    wrong = replace(was, is_enclave=False)
    difference = the(with_entry(stored, "contributions", (RUNNING, GOOD), wrong))
    assert (difference.predicted, difference.stored) == ("set", "unset")


def test_compare_of_a_contribution_that_is_not_there_is_one_difference() -> None:
    """Where the getter reverts the contribution is unset, and has no further fields."""
    difference = the(with_entry(stored_of(ledger()), "contributions", (PAID, GOOD), None))
    assert (difference.kind, difference.predicted, difference.stored) == (
        "status",
        "proved",
        "unset",
    )


@pytest.mark.parametrize("woid", [PAID, STRANGER])
def test_compare_of_a_contribution_that_nobody_logged_predicts_unset(woid: Address) -> None:
    """Neither the work order nor the worker need be known; unset on both sides is equal."""
    stored = stored_of(ledger())
    assert found(with_entry(stored, "contributions", (woid, STRANGER), None)) == []
    wrong = StoredContribution(1, NO_HASH, is_enclave=False, score=0, weight=0)
    difference = the(with_entry(stored, "contributions", (woid, STRANGER), wrong))
    assert (difference.predicted, difference.stored) == ("unset", "authorized")


def test_compare_of_what_was_not_asked_says_nothing() -> None:
    """No answer is no difference."""
    assert found(Stored({}, {}, {}, {}, {}, hub_balance=0)) == []


@pytest.mark.parametrize(("asked", "kinds"), [("scores", ["score"]), ("accounts", ["stake"])])
def test_compare_of_an_account_of_which_half_was_asked_compares_that_half(
    asked: str, kinds: list[str]
) -> None:
    """A score without a balance, or a balance without a score: what was not asked is not zero."""
    stored = stored_of(State(HUB))
    entry = 3 if asked == "scores" else (3, 0)
    nothing = replace(stored, accounts={}, scores={})
    differences = compare(State(HUB), with_entry(nothing, asked, GOOD, entry))
    assert [each.kind for each in differences] == kinds


def test_compare_lists_accounts_then_work_orders_then_contributions_by_address() -> None:
    """The order is that of the addresses, whatever order the answers are in."""
    stored = stored_of(ledger())
    for who in (GOOD, SCHEDULER):
        stored = with_entry(stored, "accounts", who, (1, 2))
    for woid in (UNPAID, FAILED):
        wrong = replace(stored.work_orders[woid], status=4)
        stored = with_entry(stored, "work_orders", woid, wrong)
    for key in ((RUNNING, IDLE), (RUNNING, GOOD), (PAID, FAULTY)):
        stored = with_entry(stored, "contributions", key, None)
    assert [(each.account, each.task) for each in found(stored)] == [
        *[(SCHEDULER, None)] * 2,
        *[(GOOD, None)] * 2,
        (None, FAILED),
        (None, UNPAID),
        (FAULTY, PAID),
        (GOOD, RUNNING),
        (IDLE, RUNNING),
    ]


def test_asked_of_a_ledger_is_everybody_it_names_and_everything_once() -> None:
    """Accounts, owners, schedulers, workers that did nothing, and the hub itself, in order."""
    questions = asked_of(ledger())
    everybody = {HUB, SCHEDULER, REQUESTER, OWNER, GOOD, FAULTY, IDLE}
    assert questions.accounts == tuple(sorted(everybody))
    assert questions.work_orders == tuple((POOL, woid) for woid in (FAILED, PAID, UNPAID, RUNNING))
    assert questions.contributions == (
        (POOL, PAID, GOOD),
        (POOL, PAID, FAULTY),
        (POOL, UNPAID, FAULTY),
        (POOL, RUNNING, GOOD),
        (POOL, RUNNING, IDLE),
    )


@pytest.mark.parametrize("where", ["scores", "logged", "affiliations"])
def test_asked_of_a_ledger_includes_who_is_named_in_one_place_only(where: str) -> None:
    """A number that should not be there at all is asked for too."""
    state = ledger()
    getattr(state, where)[STRANGER] = POOL if where == "affiliations" else 0
    assert STRANGER in asked_of(state).accounts


def test_asked_of_a_ledger_includes_the_owners_of_what_was_never_used() -> None:
    """Owners of pools, apps, datasets and orders have accounts as all have."""
    state = ledger()
    state.pools[named(1)] = replace(state.pools[POOL], owner=named(11))
    state.datasets[named(2)] = replace(state.datasets[DATASET], owner=named(12))
    state.orders[2] = replace(
        state.orders[1], facts=replace(state.orders[1].facts, owner=named(13))
    )
    assert {named(11), named(12), named(13)} <= set(asked_of(state).accounts)


def test_asked_of_an_empty_ledger_is_the_hub() -> None:
    """Before the first event there is the kitty, and it is 0."""
    assert asked_of(State(HUB)) == ((HUB,), (), ())


def test_asked_of_a_ledger_includes_a_worker_whose_only_trace_is_an_authorisation() -> None:
    """Its score was looked at when it was authorised."""
    state = ledger()
    part = Contribution(ContributionStatus.AUTHORIZED)
    state.work_orders[RUNNING].contributions[STRANGER] = part
    questions = asked_of(state)
    assert STRANGER in questions.accounts
    assert (POOL, RUNNING, STRANGER) in questions.contributions
