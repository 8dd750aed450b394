"""Deciding and planning on a network where anything may go wrong, in any order.

Whatever happens, a nonce pays once, nothing is signed but at a nonce that is there, and on certain
evidence; what is closed is true of the final chain. When the faults end, everything is closed.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from monitor.transactions.words import DESTRUCTIVE, Act, State
from tests.transactions.builders import GWEI
from tests.transactions.islands import FINAL_DEPTH, Network

BASE_FEES = (10 * GWEI, 25 * GWEI)
BLOCKS_TO_CLOSE_MAX = 200
"""A gap is filled after 25 blocks, a cheap payment raised likewise; then all goes its way."""
places = st.integers(0, 2)


class Interleaving(RuleBasedStateMachine):
    """What may happen, one thing after another."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Network()
        self.base_fee_wei = BASE_FEES[0]
        self.next_nonce = 0

    # -- the sender --------------------------------------------------------------------------

    @rule(fee=st.sampled_from((30, 30, 9)))
    def send(self, fee: int) -> None:
        """The sender hands out the nonce that the local node counts, as web3j does."""
        local = self.network.local
        if local.is_silent:
            return
        made = self.network.sign(local.latest + len(local.executable), fee * GWEI)
        self.next_nonce = max(self.next_nonce, made.nonce + 1)
        self.network.watchdog.observe(made)
        local.take(made)

    @rule()
    def send_by_own_count(self) -> None:
        """A sender that counts by itself, whatever its node says."""
        made = self.network.sign(self.next_nonce, 30 * GWEI)
        self.next_nonce += 1
        self.network.watchdog.observe(made)
        if not self.network.local.is_silent:
            self.network.local.take(made)

    @rule()
    def send_to_nobody(self) -> None:
        """It hands out a nonce, and the transaction is lost before anybody sees it."""
        self.next_nonce += 1

    @rule(place=places)
    def send_elsewhere(self, place: int) -> None:
        """Another program with the same key sends through a reference."""
        reference = self.network.references[place]
        reference.take(self.network.sign(reference.latest, 40 * GWEI))

    # -- the network -------------------------------------------------------------------------

    @rule(place=places, blocks=st.sampled_from((1, 1, 1, 3, 30)), gossips=st.booleans())
    def blocks_pass(self, place: int, blocks: int, *, gossips: bool) -> None:
        for _ in range(blocks):
            if gossips:
                self.network.gossip()
            self.network.mine(self.network.references[place], self.base_fee_wei)
            self.network.watchdog.round()

    @rule()
    def base_fee_moves(self) -> None:
        self.base_fee_wei = sum(BASE_FEES) - self.base_fee_wei
        self.network.watchdog.base_fee_wei = self.base_fee_wei

    @rule(depth=st.integers(1, 5), keepers=st.sets(st.integers(0, 3)))
    def blocks_are_replaced(self, depth: int, keepers: set[int]) -> None:
        gone = self.network.chain.reorganise(depth)
        for place in keepers:
            for transaction in gone:
                self.network.nodes[place].take(transaction)
        for node in self.network.nodes:
            node.forget_used()

    @rule(place=st.integers(0, 3), lag=st.sampled_from((0, 1, 4)))
    def node_falls_behind(self, place: int, lag: int) -> None:
        self.network.nodes[place].lag = lag
        self.network.nodes[place].forget_used()

    @rule(place=st.integers(0, 3))
    def node_turns_silent_or_back(self, place: int) -> None:
        node = self.network.nodes[place]
        node.is_silent = not node.is_silent

    @rule(place=st.integers(0, 3))
    def node_turns_mute_or_back(self, place: int) -> None:
        node = self.network.nodes[place]
        node.is_mute = not node.is_mute

    @rule(place=st.integers(0, 3))
    def node_is_cut_off_or_back(self, place: int) -> None:
        node = self.network.nodes[place]
        node.is_island = not node.is_island

    @rule(place=st.integers(0, 3))
    def pool_is_lost(self, place: int) -> None:
        self.network.nodes[place].pool.clear()

    @rule()
    def round(self) -> None:
        self.network.watchdog.round()

    @rule()
    def watchdog_starts_anew(self) -> None:
        """Counters are not kept over a restart."""
        self.network.watchdog.counters.clear()

    # -- what always holds -------------------------------------------------------------------

    @invariant()
    def payments_are_mined_once(self) -> None:
        """Of all transactions that pay the same, at most one is in the chain."""
        mined = [one.purpose for _, one in self.network.chain.mined(self.network.chain.height)]
        paid = [purpose for purpose in mined if purpose[1] > 0]
        assert len(paid) == len(set(paid))

    @invariant()
    def nothing_takes_a_nonce_of_its_own(self) -> None:
        """What is signed for us has its slot's nonce, and pays what the slot pays or nothing."""
        made = self.network.watchdog.made.values()
        purposes = {one.purpose: one.nonce for one in self.network.payments.values()}
        for one in made:
            assert one.nonce < self.next_nonce or one.nonce in {
                sent.nonce for sent in self.network.payments.values()
            }
            assert one.is_cancellation or purposes[one.purpose] == one.nonce

    @invariant()
    def nothing_is_signed_on_weak_evidence(self) -> None:
        for slot, step, decision, round_ in self.network.watchdog.done:
            if step.act in DESTRUCTIVE:
                assert not decision.is_weak
                assert round_.head is not None
                assert len({view.operator for view in round_.references}) >= round_.need
                latest = sorted(
                    (v.nonce_latest for v in round_.references if isinstance(v.nonce_latest, int)),
                    reverse=True,
                )
                assert slot.nonce == latest[round_.need - 1]
        self.network.watchdog.done.clear()

    @invariant()
    def what_is_closed_is_true(self) -> None:
        """A closed slot names what the final chain holds, and it stays so."""
        chain = self.network.chain
        final = {one.nonce: one for _, one in chain.mined(chain.final_height)}
        for nonce, (state, slot) in self.network.watchdog.closed.items():
            mined = final[nonce]
            is_known = any(attempt.hash == mined.hash for attempt in slot.attempts)
            if state is State.FINAL_OK:
                assert is_known
            elif state is State.CANCELLED:
                assert mined.is_cancellation
            elif state in {State.REPLACED_OTHER, State.REPLACED_SAME}:
                assert not is_known

    def teardown(self) -> None:
        """When the faults end, every slot is closed, and no payment that could be made is lost."""
        network = self.network
        network.heal()
        self.base_fee_wei = network.watchdog.base_fee_wei = BASE_FEES[0]
        for _ in range(BLOCKS_TO_CLOSE_MAX):
            network.gossip()
            network.mine(network.references[0], self.base_fee_wei)
            network.watchdog.round()
            self.what_is_closed_is_true()
            self.nothing_is_signed_on_weak_evidence()
            self.nothing_takes_a_nonce_of_its_own()
        assert network.watchdog.slots == {}


Interleaving.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
test_whatever_happens_a_nonce_pays_once = Interleaving.TestCase


def test_transaction_of_a_node_that_is_behind_reaches_the_network() -> None:
    """The case of 2018: accepted by the own node, which is behind, and known to nobody else."""
    network = Network()
    watchdog = network.watchdog
    for nonce in range(2):
        network.references[0].take(network.sign(nonce, 30 * GWEI))
    network.mine(network.references[0], BASE_FEES[0])
    network.local.lag = 1
    network.local.is_island = True
    sent = network.sign(2, 30 * GWEI)
    network.local.take(sent)
    watchdog.round()
    ((_, step, decision, _),) = watchdog.done
    assert (decision.row, decision.state) == ("10", State.LOCAL_DESYNC)
    assert (step.act, step.targets) == (Act.REBROADCAST, "references")
    assert all(node.pool[2] == sent for node in network.references)
    network.mine(network.references[1], BASE_FEES[0])
    watchdog.round()
    assert watchdog.slots[2].state is State.LOCAL_LAG
    for _ in range(FINAL_DEPTH):
        network.mine(network.references[1], BASE_FEES[0])
        watchdog.round()
    assert watchdog.closed[2][0] is State.FINAL_OK
