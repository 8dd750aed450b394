from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from monitor.commands.slot_lines import HEADINGS, deliveries, notes_of, offer, table
from monitor.commands.transaction_access import (
    AttemptPart,
    DeliveryPart,
    Done,
    Fields,
    Listing,
    NetworkPart,
    Row,
    StoryPart,
)
from monitor.status.document import Line

NOW = 1_795_000_000.0
HASH = Line("0x" + "ab" * 32)
GWEI = 10**9


def row(**changes: object) -> Row:
    made = Row(
        network=Line("ethereum"),
        alias=Line("scheduler"),
        nonce=7,
        state=Line("pending"),
        level=Line("ok"),
        first_seen_at=NOW - 90,
        hash=HASH,
        summary=Line("on its way"),
        closed_at=None,
    )
    return msgspec.structs.replace(made, **changes)


def listing(*rows: Row, **changes: object) -> Listing:
    made = Listing(NOW, Line("acting"), Line("ok"), (), rows, 0)
    return msgspec.structs.replace(made, **changes)


def test_table_is_aligned_and_has_every_cell() -> None:
    """Columns begin below their headings; numbers end together; a cell is never empty."""
    shown = table(
        listing(
            row(),
            row(nonce=1234, hash=None, level=None, alias=Line("pool")),
            row(nonce=8, closed_at=NOW - 60),
        )
    ).splitlines()
    heading, first, second, third = shown
    for name in ("state", "age", "hash", "what is known"):
        assert {line[heading.index(name) - 1] for line in shown} == {" "}
    words = ("ok", "scheduler", "7", "pending", "1 min 30 s", HASH, "on its way")
    assert first.split() == " ".join(words).split()
    assert second.startswith("–")
    assert "not known" in second
    assert first.index("7") == second.index("1234") + 3
    assert "  30 s  " in third, "a closed one is as old as it got"
    assert len(HEADINGS) == 7
    assert table(listing()) == "no transaction is on its way"


def test_table_of_several_networks_names_them() -> None:
    """One alias may be on two; where there is one network, its name is no news."""
    shown = table(listing(row(), row(network=Line("gnosis"))))
    assert "scheduler (ethereum)" in shown
    assert "scheduler (gnosis)" in shown
    assert "(ethereum)" not in table(listing(row()))


@dataclass(frozen=True, slots=True)
class Case:
    listing: Listing
    said: tuple[str, ...]


STALE = NetworkPart(Line("ethereum"), 7200.0, is_stale=True)
UNSEEN = NetworkPart(Line("gnosis"), None, is_stale=True)
FRESH = NetworkPart(Line("sepolia"), 5.0, is_stale=False)


@pytest.mark.parametrize(
    "case",
    [
        Case(listing(networks=(FRESH,)), ()),
        Case(
            listing(networks=(STALE, FRESH)),
            ("ethereum: the newest round in the journal is 2 h old",),
        ),
        Case(
            listing(networks=(UNSEEN,), mode=Line("alone")),
            ("gnosis: the journal knows of no round: no sidecar runs",),
        ),
        Case(listing(left_out=3), ("3 more are not shown: see --limit",)),
        Case(
            listing(mode=Line("halted")), ("halted: nothing is sent until `headwatch tx resume`",)
        ),
        Case(listing(mode=Line("dry_run")), ("dry run: nothing is sent",)),
    ],
)
def test_notes_say_what_the_list_alone_does_not(case: Case) -> None:
    """What is old, what is cut, and that nobody sends anything."""
    assert tuple(notes_of(case.listing)) == case.said


def fields(**changes: object) -> Fields:
    made = Fields(2, Line("0x" + "70" * 20), 5 * 10**17, 90_000, 30 * GWEI, GWEI)
    return msgspec.structs.replace(made, **changes)


def story(*transactions: Fields | None) -> StoryPart:
    attempts = tuple(AttemptPart(HASH, Line("observed"), one) for one in transactions)
    return StoryPart(
        Line("ethereum"), Line("scheduler"), 7, Line("pending"), None, attempts, states=()
    )


def done(act: str = "replace", **changes: object) -> Done:
    made = Done(
        act=Line(act),
        network=Line("ethereum"),
        alias=Line("scheduler"),
        nonce=7,
        hash=None,
        deliveries=(),
        fee_cap_wei=45 * GWEI,
        tip_cap_wei=15 * GWEI // 10,
        summary=Line("dry run"),
    )
    return msgspec.structs.replace(made, **changes)


def test_offer_of_a_replacement_is_priced_to_the_wei() -> None:
    """The newest attempt is what is replaced; its gas is kept, and the payment is in the total."""
    shown = offer(story(fields(gas=1), None, fields(), None), done(), 21_000)
    assert shown.splitlines() == [
        "replace nonce 7 of scheduler (ethereum)",
        f"  pays 0.5 ether to 0x{'70' * 20}",
        "  now   fee cap 30 gwei, tip 1 gwei",
        "  then  fee cap 45 gwei, tip 1.5 gwei",
        "  cost  at most 0.00405 ether for 90000 gas, 0.50405 ether in all",
    ]


def test_offer_of_a_cancellation_costs_a_transfer() -> None:
    """Nothing is paid but gas, and what would have been is said."""
    shown = offer(story(fields(to=None)), done("cancel"), 21_000)
    assert "would no longer pay 0.5 ether to a new contract" in shown
    assert shown.endswith("cost  at most 0.000945 ether for 21000 gas")


def test_offer_says_no_cost_that_it_does_not_know() -> None:
    """Where the bytes are not known, neither is the gas; where no fees are said, no price."""
    assert "cost" not in offer(story(None), done(), 21_000)
    assert "cost" in offer(story(None), done("cancel"), 21_000)
    assert "then" not in offer(story(fields()), done(fee_cap_wei=None), 21_000)


def test_deliveries_name_everybody_and_the_hash_once() -> None:
    """What was sent, to whom, and in which words it was refused."""
    sent = done(
        hash=HASH,
        deliveries=(
            DeliveryPart(Line("ethereum/a"), Line("accepted"), Line("")),
            DeliveryPart(Line("local"), Line("funds"), Line("insufficient funds")),
        ),
        summary=Line("sent"),
    )
    assert deliveries(sent).splitlines() == [
        "sent",
        f"hash {HASH}",
        "  ethereum/a: accepted",
        "  local: funds (insufficient funds)",
    ]
    assert deliveries(done(hash=HASH, summary=Line(f"sent {HASH}"))) == f"sent {HASH}"
    assert deliveries(done(summary=Line(""))) == "replace of nonce 7"
