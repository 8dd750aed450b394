"""What people read of a slot: whole sentences, both values, exact amounts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.model import Evidence, short
from monitor.transactions.cases import Case
from monitor.transactions.sentences import cap_low, count, ether, gwei, of_fees, stuck, tip_low
from monitor.transactions.signals import fold, fold_slot
from monitor.transactions.words import (
    AccountCounters,
    AccountRound,
    Counters,
    PoolEntry,
    Slot,
    State,
)
from tests.transactions.builders import (
    ETHER,
    GWEI,
    LOW_CAP,
    LOW_TIP,
    MARKET,
    NOW,
    OLD,
    POOLED,
    RULES,
    STUCK,
    TIMEOUT,
    TIP,
    after,
    attempt,
    cancellation,
    decided,
    empty_slot,
    hash_of,
    head_at,
    local,
    payment,
    receipt_of,
    references,
    round_of,
    slot_of,
    verdict,
)


@pytest.mark.parametrize(
    ("wei", "text"),
    [
        (0, "0 gwei"),
        (1, "0.000000001 gwei"),
        (GWEI, "1 gwei"),
        (100 * GWEI, "100 gwei"),
        (12_500_000_000, "12.5 gwei"),
        (10**27 + 1, "1000000000000000000.000000001 gwei"),
    ],
)
def test_price_is_written_exactly(wei: int, text: str) -> None:
    """Two prices that differ read differently."""
    assert gwei(wei) == text


@pytest.mark.parametrize(
    ("wei", "text"),
    [(0, "0 ether"), (ETHER, "1 ether"), (ETHER - 1, "0.999999999999999999 ether")],
)
def test_amount_is_written_exactly(wei: int, text: str) -> None:
    """A balance that lacks one wei does not read like the cost."""
    assert ether(wei) == text


def test_one_is_singular() -> None:
    """1 block, 2 blocks."""
    assert [count(number, "block") for number in (0, 1, 2)] == ["0 blocks", "1 block", "2 blocks"]


FINAL = receipt_of(number=900)
LAGGING = local("pending", number=TIP - 5)
AT_TIP = receipt_of(number=TIP)
ORPHAN = receipt_of(number=TIP - 5, branch="orphan")
OTHER = receipt_of(number=TIP, branch="other")
WAS_MINED = slot_of(state=State.MINED, mined_number=998, mined_hash=head_at(998).hash)
HUGE = payment(gas=20_000_000)
BLOB = payment(type=3, blob_fee_cap_wei=GWEI - 1, blob_count=1)
DELEGATING = payment(type=4, authorizations=1)
GAP_BELOW = round_of(
    *references({}), local=local({}, pool=[PoolEntry(hash_of("tx 8"), 8, "queued")])
)


@pytest.mark.parametrize(
    ("slot", "round_", "counters", "sentence"),
    [
        (
            slot_of(),
            round_of(*POOLED[:1]),
            None,
            "only 1 of 3 reference operators could be asked, 2 must agree",
        ),
        (slot_of(), round_of(*POOLED, number=None), None, "the references agree on no head"),
        (
            slot_of(),
            round_of(*references("pending", nonce=TIMEOUT)),
            None,
            "the references agree on no next nonce",
        ),
        (
            slot_of(age_blocks=STUCK),
            round_of(*references(TIMEOUT), local=local()),
            None,
            "for 30 min the references have not said whether they have it",
        ),
        (
            slot_of(age_blocks=STUCK),
            round_of(*references(TIMEOUT, nonce=8), local=local()),
            None,
            "for 30 min the references have not said whether it is in a block",
        ),
        (
            slot_of(),
            round_of(*references(receipt_of(number=999), nonce=8), final_number=None),
            None,
            (
                f"mined in block 999 ({short(head_at(999).hash)}), 2 blocks deep; which blocks are "
                "final is not known"
            ),
        ),
        (
            slot_of(),
            round_of(*references(FINAL, nonce=8)),
            None,
            f"mined in block 900 ({short(head_at(900).hash)}), which is final",
        ),
        (
            slot_of(attempt(), attempt(cancellation(), kind="cancel")),
            round_of(
                *references({hash_of("cancel 7"): receipt_of("cancel 7", number=900)}, nonce=8)
            ),
            None,
            (
                "cancelled: a transfer of nothing to the sender itself took the nonce in block "
                "900, which is final"
            ),
        ),
        (
            WAS_MINED,
            round_of(*references({}, nonce=8)),
            None,
            "in block 998, as last seen; not asked again in this round",
        ),
        (
            slot_of(),
            round_of(*references(AT_TIP, nonce=8), local=LAGGING),
            None,
            "mined in block 1000; the local node is at block 995",
        ),
        (
            slot_of(),
            round_of(*references("absent"), local=local(ORPHAN, nonce=8)),
            after(1, "forked"),
            (
                "in the local node's chain up to block 995, and at 3 of 3 reference operators "
                "in no block up to it"
            ),
        ),
        (
            WAS_MINED,
            round_of(*references("absent")),
            after(1, "unmined"),
            "it was in block 998, and for 2 rounds a quorum has it in none",
        ),
        (
            slot_of(),
            round_of(*references("absent", nonce=9)),
            after(2, "taken"),
            (
                "nonce 7 is used, the network's next is 9, and no known transaction of this nonce "
                "is in a block"
            ),
        ),
        (
            slot_of(state=State.NONCE_TAKEN),
            round_of(*references("absent", nonce=TIMEOUT)),
            None,
            "nonce 7 was taken, as last seen; the references agree on no next nonce",
        ),
        (
            empty_slot(),
            GAP_BELOW,
            None,
            "nothing is known of nonce 7, and later ones wait for it",
        ),
        (
            slot_of(nonce=9),
            round_of(*POOLED, local=local("pending", pending=9)),
            None,
            "earlier ones are on their way: the network's next nonce is 7",
        ),
        (
            slot_of(),
            round_of(*references("absent"), local=local(), local_peers=0),
            None,
            "pending at the local node, which has no peers; no reference knows it",
        ),
        (
            slot_of(),
            round_of(*references("absent"), local=local(), local_synced=False),
            None,
            "pending at the local node, which is off the network; no reference knows it",
        ),
        (
            slot_of(),
            round_of(*references("absent"), local=local()),
            None,
            "pending at the local node, first seen 5 blocks ago; no reference knows it",
        ),
        (
            slot_of(attempt(LOW_CAP)),
            round_of(*references("absent"), local=local()),
            None,
            (
                "pending at the local node, first seen 5 blocks ago; no reference knows it, and "
                "its fee cap 9 gwei is below the base fee 10 gwei"
            ),
        ),
        (
            slot_of(),
            round_of(*POOLED[:2], local=local("absent")),
            None,
            (
                "known to 2 of 3 reference operators; the local node lost it, and may hand out its "
                "nonce again"
            ),
        ),
        (
            slot_of(attempt(LOW_TIP), age_blocks=OLD),
            round_of(*POOLED, local=local()),
            None,
            "its tip comes to 0.999999999 gwei, and the lowest recent ones to 1 gwei",
        ),
        (
            slot_of(),
            round_of(*references("pending", balance=ETHER), local=local()),
            None,
            "the balance 1 ether does not cover it: 1.00063 ether",
        ),
        (
            slot_of(),
            round_of(*references("absent"), local=local("absent")),
            after(2, "absent"),
            (
                "for 3 rounds unknown to the local node and to 3 of 3 reference operators, and its "
                "nonce is free"
            ),
        ),
        (
            slot_of(attempt(has_raw=False)),
            round_of(*references("absent"), local=local("absent")),
            after(2, "absent"),
            (
                "for 3 rounds unknown to the local node and to 3 of 3 reference operators, and its "
                "nonce is free; its bytes cannot be had: the sender must sign nonce 7 again"
            ),
        ),
        (
            slot_of(age_blocks=STUCK),
            round_of(*POOLED, local=local()),
            None,
            (
                "known to 3 of 3 reference operators, priced well, and not mined for 30 min; to "
                "check: a private pool, a full block, or censorship"
            ),
        ),
        (
            slot_of(attempt(HUGE), age_blocks=STUCK),
            round_of(*POOLED, local=local()),
            None,
            (
                "known to 3 of 3 reference operators, priced well, and not mined for 30 min; to "
                "check: its gas 20000000 is more than the 16777216 that a transaction may have"
            ),
        ),
        (
            slot_of(attempt(BLOB), age_blocks=STUCK),
            round_of(*POOLED, local=local()),
            None,
            (
                "known to 3 of 3 reference operators, priced well, and not mined for 30 min; to "
                "check: its blob fee cap 0.999999999 gwei is below the blob base fee 1 gwei"
            ),
        ),
        (
            slot_of(attempt(DELEGATING), age_blocks=STUCK),
            round_of(*POOLED, local=local()),
            None,
            (
                "known to 3 of 3 reference operators, priced well, and not mined for 30 min; to "
                "check: it delegates accounts (EIP-7702), and pools hold one of these at a time"
            ),
        ),
        (
            slot_of(),
            round_of(*references(TIMEOUT, nonce=8)),
            None,
            "its nonce is used; the network's next is 8; looking for what by",
        ),
        (
            slot_of(age_blocks=1),
            round_of(*references("absent"), local=local("absent")),
            None,
            "on its way: the local node says absent, no reference knows it",
        ),
        (
            slot_of(age_blocks=1),
            round_of(*references(TIMEOUT), local=TIMEOUT),
            None,
            "on its way: the local node could not be asked, references do not say",
        ),
        (
            empty_slot(),
            round_of(*references({}, pending=8)),
            None,
            "no hash is known of nonce 7",
        ),
    ],
)
def test_sentence_says_both_values(
    slot: Slot, round_: AccountRound, counters: Counters | None, sentence: str
) -> None:
    """One sentence a condition; nothing in it but what the round has shown."""
    assert verdict(slot, round_, counters=counters).summary == sentence


def test_sentence_of_a_reorg_names_the_blocks() -> None:
    """Both ends of each hash."""
    summary = verdict(slot_of(), round_of(*references(AT_TIP, OTHER, "absent", nonce=8))).summary
    assert summary.startswith("the references have it in different blocks: 0x")
    for block in (AT_TIP.block_hash, OTHER.block_hash):
        assert f"{block[:8]}…{block[-6:]}" in summary


@pytest.mark.parametrize(
    ("lowest", "words"),
    [
        (slot_of(), "nonce 7 comes first, and of it nothing is live anywhere; its bytes are in "),
        (slot_of(attempt(tx_hash=hash_of("tx 7"))), "nonce 7 comes first, and of it nothing is "),
    ],
)
def test_sentence_of_a_gap_says_whether_it_closes(lowest: Slot, words: str) -> None:
    """With its bytes in the journal it is sent again; without, somebody must sign."""
    listed = [PoolEntry(hash_of("tx 8"), 8, "queued")]
    round_ = round_of(*references("absent"), local=local("absent", pool=listed))
    slots = (lowest, slot_of(nonce=8))
    decision = decided(slots, round_, counters=after(2, "absent"), before=AccountCounters())
    assert decision.slots[8].summary.startswith(words)
    assert decision.slots[8].summary.endswith("in the journal") is lowest.has_raw


@pytest.mark.parametrize(
    ("say", "sentence"),
    [
        (cap_low, "its fee cap is not known"),
        (tip_low, "its tip is not known"),
        (
            stuck,
            (
                "known to 3 of 3 reference operators, priced well, and not mined for 1 min; to "
                "check: a private pool, a full block, or censorship"
            ),
        ),
    ],
)
def test_sentence_about_fees_does_without_the_market(
    say: Callable[[Case], str], sentence: str
) -> None:
    """What is not known is called so."""
    account = fold(round_of(*POOLED, market=TIMEOUT))
    case = Case(slot_of(), RULES, account, fold_slot(slot_of(), account), Counters())
    assert say(case) == sentence
    assert of_fees(case) == ()


# -- evidence ------------------------------------------------------------------------------------


def said(evidence: tuple[Evidence, ...], method: str) -> dict[str, str]:
    return {one.source: one.said for one in evidence if one.method == method}


def test_evidence_of_blocks_names_hash_block_and_status() -> None:
    """Who was asked and did not say is not among the witnesses."""
    reverted = receipt_of(number=TIP - 5, is_success=False)
    views = references(reverted, reverted, TIMEOUT, nonce=8)
    decision = verdict(slot_of(), round_of(*views, local=local("mined", nonce=8)))
    block = f"{hash_of('tx 7')} in block 995 {head_at(995).hash}, reverted"
    assert said(decision.evidence, "eth_getTransactionReceipt") == {
        "local": "in a block",
        "net/a": block,
        "net/b": block,
    }


def test_evidence_of_a_taken_nonce_has_blocks_and_counts() -> None:
    """That nobody has it in a block, and that everybody has used its nonce."""
    views = references("absent", nonce=8)
    decision = verdict(slot_of(), round_of(*views), counters=after(2, "taken"))
    names = ["net/a", "net/b", "net/c"]
    blocks = said(decision.evidence, "eth_getTransactionReceipt")
    assert blocks == dict.fromkeys(names, "in no block")
    counts = said(decision.evidence, "eth_getTransactionCount")
    assert counts == dict.fromkeys(names, "latest 8, pending 8")


def test_evidence_of_fees_is_the_market() -> None:
    """At the agreed head, from the network as a whole."""
    decision = verdict(slot_of(attempt(LOW_CAP)), round_of(*POOLED, local=local()))
    (fees,) = (one for one in decision.evidence if one.method == "eth_feeHistory")
    assert (fees.source, fees.at, fees.block) == ("net", NOW, head_at(TIP).stamp)
    assert fees.said == "base fee 10 gwei, tips 1 gwei (10th percentile) and 2 gwei (50th)"
    assert MARKET.tip_low_wei == GWEI


def test_evidence_of_funds_is_what_each_reference_has_seen() -> None:
    """Those that did not say are left out."""
    views = (*references("pending", balance=0)[:2], *references("pending", balance=TIMEOUT)[2:])
    decision = verdict(slot_of(), round_of(*views, local=local()))
    assert said(decision.evidence, "eth_getBalance") == {"net/a": "0 ether", "net/b": "0 ether"}


def test_evidence_of_an_unseen_count_names_the_reason() -> None:
    """A count that could not be seen is a statement, too: it is why there is no verdict."""
    decision = verdict(slot_of(), round_of(*references("pending", nonce=TIMEOUT)))
    assert said(decision.evidence, "eth_getTransactionCount")["net/a"] == (
        "latest unseen (timeout), pending unseen (timeout)"
    )
