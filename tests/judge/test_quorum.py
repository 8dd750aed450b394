"""Which head is believed: majorities of operators, liars, silence, splits, refusals."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.profiles import DEV, Policy, override, policy
from monitor.judge.quorum import (
    CONTESTED_DEPTH,
    ChainIdentity,
    NoQuorum,
    Round,
    Witness,
    admit,
    believed_hash,
    client_family,
    client_split,
    confidence_of,
    elect_identity,
    heights,
    heights_to_ask,
    hold_round,
    majority,
    reached,
    votes,
)
from monitor.judge.seen import LINK_DEPTH_MAX, HeadSeen, IdentitySeen
from monitor.model import BlockNumber, Hash32, Head, Reference, Unseen
from tests.judge.builders import (
    ELSEWHERE,
    HERE,
    NAMELESS,
    NETWORK,
    NOW,
    POLICY,
    TIMEOUT,
    TIP,
    agreeing,
    block,
    hash_of,
    round_of,
    run,
    said,
    seen_head,
    witness,
)

MILLION = 1_000_000
FAST = policy(override(DEV, interval_seconds=0.25, chain_id=1, genesis_hash=HERE.genesis_hash))
"""Lag from 4 blocks, so that healthy references may be three apart."""


def elected(round_: Round) -> Reference:
    assert isinstance(round_.reference, Reference), round_.reference
    return round_.reference


def refused_because(round_: Round) -> str:
    assert isinstance(round_.reference, NoQuorum), round_.reference
    return round_.reference.reason


@pytest.mark.parametrize(
    ("version", "family"),
    [
        ("Geth/v1.16.2-stable/linux-amd64/go1.25", "geth"),
        ("besu/v25.1", "besu"),
        ("Parity-Ethereum//v2.0.5/x86_64", "parity"),
        ("Parity//v1.11.8", "parity"),
        ("OpenEthereum//v3.2", "parity"),
        (" anvil ", "anvil"),
        ("", ""),
    ],
)
def test_client_family_of_a_version_is_its_first_word(version: str, family: str) -> None:
    """Whatever follows the first slash, and however the name is written, the family is one."""
    assert client_family(version) == family


def test_votes_of_an_operator_with_three_endpoints_are_one() -> None:
    """One operator is one vote, however many endpoints it runs."""
    three = [witness(name, run(TIP), operator="big") for name in "abc"]
    assert votes([*three, witness("d", run(TIP))], TIP) == {
        "big": hash_of(TIP),
        "op-d": hash_of(TIP),
    }


def test_votes_of_an_operator_that_contradicts_itself_do_not_count() -> None:
    """Two hashes at one height from one operator are no word at all; it may agree elsewhere."""
    two = [
        witness("a", run(TIP), operator="big"),
        witness("b", run(TIP, branch="other", above=TIP - 1), operator="big"),
    ]
    assert votes(two, TIP) == {}
    assert votes(two, TIP - 1) == {"big": hash_of(TIP - 1)}
    assert votes(two, 0) == {}


@pytest.mark.parametrize(
    ("cast", "need", "expected"),
    [
        ("", 1, None),
        ("x", 1, "x"),
        ("x", 2, None),
        ("xy", 2, None),
        ("xyx", 2, "x"),
        ("yxx", 3, None),
        ("xxxyy", 3, "x"),
    ],
)
def test_majority_of_votes_is_the_hash_with_enough(
    cast: str, need: int, expected: str | None
) -> None:
    """One vote less than needed elects nobody."""
    ballot = {f"op{i}": Hash32(letter) for i, letter in enumerate(cast)}
    assert majority(ballot, need) == expected


@pytest.mark.parametrize(
    ("operators", "need"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4)]
)
def test_need_of_operators_is_more_than_half_of_the_configured(operators: int, need: int) -> None:
    """Exactly `need` answers elect; one fewer does not, since silence counts against."""
    names = "abcdefg"[:operators]
    for answering, is_elected in ((need, True), (need - 1, False)):
        witnesses = [
            witness(name, run(TIP) if index < answering else TIMEOUT)
            for index, name in enumerate(names)
        ]
        round_ = round_of(*witnesses)
        assert round_.need == need
        assert isinstance(round_.reference, Reference) is is_elected
    assert refused_because(round_) == "too_few"


def test_election_without_any_answer_elects_nobody() -> None:
    """Silence elects nobody, and the trail says that there was no election."""
    round_ = round_of(*(witness(name, TIMEOUT) for name in "abc"))
    assert refused_because(round_) == "too_few"
    assert {slug for slug, _ in round_.refused.values()} == {"unseen"}
    assert round_.admitted == ()
    (trail,) = round_.trail
    assert isinstance(trail.seen, Unseen)
    assert trail.seen.reason == "no_quorum"


def test_election_without_references_elects_nobody() -> None:
    """Nobody configured, nobody believed."""
    assert refused_because(round_of()) == "too_few"


@pytest.mark.parametrize(
    ("numbers", "head", "lag_head"),
    [
        ((5,), 5, 5),
        ((5, 7), 5, 7),
        ((5, 6, 7), 6, 6),
        ((5, 6, 7, 8), 6, 7),
        ((5, 6, 7, 8, 9), 7, 8),
        ((5, 5, 9), 5, 5),
    ],
)
def test_election_of_different_heights_takes_the_order_statistics(
    numbers: Sequence[int], head: int, lag_head: int
) -> None:
    """The head is what a majority has reached; lag is measured from the second highest of all."""
    witnesses = [witness(f"r{i}", run(n)) for i, n in enumerate(numbers)]
    reference = elected(round_of(*witnesses))
    assert (reference.head, reference.lag_head) == (block(head), block(lag_head))
    assert reference.operators == len(numbers)


@pytest.mark.parametrize(
    ("operators", "confidence"), [(1, "low"), (2, "fair"), (3, "high"), (4, "high")]
)
def test_confidence_of_operators_grows_with_their_number(operators: int, confidence: str) -> None:
    """Three are the least that can outvote a liar."""
    assert confidence_of(operators) == confidence
    assert elected(round_of(*agreeing(names="abcd"[:operators]))).confidence == confidence


def test_election_with_three_endpoints_of_one_operator_is_not_theirs() -> None:
    """Three endpoints of one operator against two operators: two of three operators win."""
    liars = [
        witness(f"l{i}", run(TIP, branch="other", above=TIP - 5), operator="big") for i in range(3)
    ]
    reference = elected(round_of(*liars, *agreeing(names="ab")))
    assert reference.head == block(TIP)
    assert reference.voters == ("op-a", "op-b")
    assert reference.operators == 3


def test_height_of_an_operator_is_its_highest_endpoint_s() -> None:
    """A stale backend of an operator does not hold it back, in whatever order they answer."""
    pair = [witness("a", run(7), operator="big"), witness("b", run(9), operator="big")]
    assert heights(pair) == heights(pair[::-1]) == {"big": 9}
    assert heights([witness("c", TIMEOUT)]) == {}
    for order in (pair, pair[::-1]):
        others = agreeing(8, "cd")
        assert elected(round_of(*order, *others)).lag_head.number == 8
        assert elected(round_of(*order, others[0])).lag_head.number == 9


@pytest.mark.parametrize(("need", "number"), [(1, 9), (2, 8), (3, 7), (4, None)])
def test_reached_by_a_need_is_the_height_of_so_many(need: int, number: int | None) -> None:
    """The need-th highest, and none where fewer answer."""
    assert reached([witness(str(n), run(n)) for n in (7, 9, 8)], need) == number


@pytest.mark.parametrize("seen_blocks", [1, 3, 9])
@pytest.mark.parametrize("depth", [1, 2])
def test_contested_tip_falls_to_the_block_below_that_is_agreed(
    depth: int, seen_blocks: int
) -> None:
    """A block in flight at the tip is no split: one or two blocks below it all agree."""
    tips = [run(TIP, depth + seen_blocks, branch=name, above=TIP - depth) for name in "xyz"]
    reference = elected(round_of(*(witness(n, h) for n, h in zip("abc", tips, strict=True))))
    assert reference.head == block(TIP - depth)
    assert reference.lag_head.number == TIP
    assert reference.voters == ("op-a", "op-b", "op-c")


def test_contested_tip_of_references_that_saw_one_block_before_is_no_split() -> None:
    """Who saw two blocks names the hash two below and not its header; one below it has both."""
    before = run(TIP - 1, 1)
    tips = [[*before, *run(TIP, 1, branch=name, above=TIP - 1)] for name in "xyz"]
    reference = elected(round_of(*(witness(n, h) for n, h in zip("abc", tips, strict=True))))
    assert reference.head == block(TIP - 1)


@pytest.mark.parametrize(("depth", "is_split"), [(1, False), (2, False), (3, True), (6, True)])
def test_split_of_all_references_counts_below_the_contested_depth(
    depth: int, *, is_split: bool
) -> None:
    """Three chains that parted two blocks ago still agree; three blocks ago they do not."""
    histories = [run(TIP, branch=name, above=TIP - depth) for name in "xyz"]
    round_ = round_of(*(witness(n, h) for n, h in zip("abc", histories, strict=True)))
    assert isinstance(round_.reference, NoQuorum) is is_split
    if is_split:
        assert refused_because(round_) == "split"


def test_split_where_nobody_names_a_hash_says_so() -> None:
    """Heads far apart whose hashes nobody could confirm are no agreement."""
    round_ = round_of(witness("a", run(10)), witness("b", run(10_000)), witness("c", TIMEOUT))
    assert refused_because(round_) == "split"
    assert isinstance(round_.reference, NoQuorum)
    assert "op-a" in round_.reference.summary
    lonely = round_of(witness("a", seen_head(90)), witness("b", seen_head(100)))
    assert refused_because(lonely) == "split"


def test_split_at_the_first_blocks_of_a_chain_looks_no_lower_than_genesis() -> None:
    """Two below block 1 is block 0."""
    tips = [run(1, branch=name, above=0) for name in "xyz"]
    round_ = round_of(*(witness(n, h) for n, h in zip("abc", tips, strict=True)))
    assert elected(round_).head == block(0)


def test_hash_without_its_header_elects_nobody() -> None:
    """A hash that is only known as somebody's parent has no time and no parent of its own."""
    tips = [run(TIP, 2, branch=name, above=TIP - 2) for name in "xyz"]
    witnesses = [witness(n, h) for n, h in zip("abc", tips, strict=True)]
    assert votes(witnesses, TIP - 2) == dict.fromkeys(["op-a", "op-b", "op-c"], hash_of(TIP - 2))
    assert refused_because(round_of(*witnesses)) == "split"


@pytest.mark.parametrize(
    ("sides", "family"),
    [
        ("g1 g1 r2 r2", "geth"),
        ("g1 g1 g1 r2 r2", "geth"),
        ("g1 g1 r2", None),
        ("g1 r2 r2", None),
        ("g1 r2", None),
        ("g1 g1 r2 r1", None),
        ("g1 g3 r2 r2", "reth"),
        ("g1 g2 r2 r2", None),
        ("g1 g1 ?2 ?2", "geth"),
        ("?1 ?1 ?2 ?2", None),
        ("g1 g1 ?2 ?1", None),
        ("g1 g1 g1 g1", None),
    ],
)
def test_client_split_needs_two_operators_on_either_side(sides: str, family: str | None) -> None:
    """A family parts from all others as a whole; one reference alone is a liar so far."""
    names = {"g": "geth", "r": "reth"}
    cast = {f"op{i}": Hash32(side[1]) for i, side in enumerate(sides.split())}
    families = {f"op{i}": names[s[0]] for i, s in enumerate(sides.split()) if s[0] in names}
    assert client_split(cast, families) == family


def along_clients(depth: int, families: str) -> Round:
    """Geth on main, reth on a chain that parted `depth` blocks ago."""
    names = {"g": "geth", "r": "reth"}
    return round_of(
        *(
            witness(
                f"r{i}",
                run(TIP, 9, branch="other", above=TIP - depth) if f == "r" else run(TIP, 9),
                client=names[f],
            )
            for i, f in enumerate(families)
        )
    )


@pytest.mark.parametrize("families", ["ggrr", "gggrr", "ggrrr"])
@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_election_along_client_lines_is_none_once_the_tip_is_passed(
    families: str, depth: int
) -> None:
    """Not even the larger side is believed (Holesky); a block in flight is no bug of a client."""
    round_ = along_clients(depth, families)
    if depth > CONTESTED_DEPTH:
        assert refused_because(round_) == "client_split"
        assert isinstance(round_.reference, NoQuorum)
        assert "reference names one hash and all others another" in round_.reference.summary
    else:
        elected(round_)


def test_election_with_one_reference_of_another_client_is_the_majority_s() -> None:
    """One stray reference is outvoted, whatever its client."""
    assert elected(along_clients(6, "ggr")).head == block(TIP)


# -- the chain itself ----------------------------------------------------------------------------


def identity_of(*said_by: tuple[str, IdentitySeen | Unseen | None]) -> ChainIdentity | None:
    """What these operators elect on a network that is named by nothing else."""
    witnesses = [
        witness(f"r{i}", run(TIP), operator=operator, identity=identity)
        for i, (operator, identity) in enumerate(said_by)
    ]
    return elect_identity(witnesses, NAMELESS, len({op for op, _ in said_by}) // 2 + 1)


def test_identity_of_a_named_network_is_the_profile_s() -> None:
    """Whatever the references say, the profile has the word."""
    witnesses = [witness(name, run(TIP), identity=ELSEWHERE) for name in "abc"]
    assert elect_identity(witnesses, POLICY, 2) == ChainIdentity(HERE.chain_id, HERE.genesis_hash)
    round_ = round_of(*witnesses)
    assert refused_because(round_) == "too_few"
    assert {slug for slug, _ in round_.refused.values()} == {"wrong_chain"}


def test_identity_of_a_nameless_network_is_the_strict_majority_s() -> None:
    """Two of three name the chain; one of two, or silence, does not."""
    here = ChainIdentity(HERE.chain_id, HERE.genesis_hash)
    assert identity_of(("a", HERE), ("b", HERE), ("c", ELSEWHERE)) == here
    assert identity_of(("a", HERE), ("b", HERE), ("c", TIMEOUT)) == here
    assert identity_of(("a", HERE), ("b", ELSEWHERE)) is None
    assert identity_of(("a", HERE), ("b", None), ("c", TIMEOUT)) is None


@pytest.mark.parametrize("order", [1, -1])
def test_identity_of_an_operator_that_contradicts_itself_does_not_count(order: int) -> None:
    """Its two endpoints on two chains cast no vote, whichever answers last."""
    pair = [("big", HERE), ("big", ELSEWHERE)][::order]
    assert identity_of(*pair, ("b", HERE), ("c", ELSEWHERE)) is None
    here = ChainIdentity(HERE.chain_id, HERE.genesis_hash)
    assert identity_of(*pair, ("b", HERE), ("c", HERE)) == here


@pytest.mark.parametrize(
    ("identity", "slug"),
    [
        (HERE, None),
        (IdentitySeen(HERE.chain_id, HERE.genesis_hash, "besu/v25"), None),
        (IdentitySeen(61, HERE.genesis_hash, ""), "wrong_chain"),
        (IdentitySeen(HERE.chain_id, ELSEWHERE.genesis_hash, ""), "wrong_chain"),
        (TIMEOUT, "identity_unseen"),
        (None, "identity_unseen"),
    ],
)
def test_witness_of_another_chain_is_refused(
    identity: IdentitySeen | Unseen | None, slug: str | None
) -> None:
    """Chain id and genesis must both be the network's, and must have been seen."""
    round_ = round_of(witness("x", run(TIP), identity=identity), *agreeing())
    assert (round_.refused["x"][0] if "x" in round_.refused else None) == slug
    assert elected(round_).head == block(TIP)


def test_witness_of_a_network_that_nobody_names_is_refused() -> None:
    """Where the references do not agree which chain it is, none of them is believed."""
    mixed = [witness("a", run(TIP)), witness("b", run(TIP), identity=ELSEWHERE)]
    round_ = round_of(*mixed, rules=NAMELESS)
    assert round_.identity is None
    assert {slug for slug, _ in round_.refused.values()} == {"no_identity"}
    assert refused_because(round_) == "too_few"


@pytest.mark.parametrize(
    ("final", "is_refused"), [(-1, False), (99, False), (100, False), (101, True)]
)
def test_witness_whose_tags_are_upside_down_is_refused(final: int, *, is_refused: bool) -> None:
    """A finalized block above the head is no answer of a sound node."""
    round_ = round_of(witness("x", seen_head(100, final=final)), *agreeing(100))
    assert ("x" in round_.refused) is is_refused
    if is_refused:
        assert round_.refused["x"][0] == "tags"


def test_round_keeps_trail_families_and_time() -> None:
    """What the judges read: the elections so far with this one, and who runs which client."""
    before = said(seen_head(TIP - 1), label="net/quorum")
    round_ = round_of(
        witness("a", run(TIP), client="geth"),
        witness("b", run(TIP)),
        witness("c", TIMEOUT, client="besu"),
        trail=(before,),
    )
    assert round_.families == {"op-a": "geth"}
    assert round_.at == NOW
    assert [o.seen for o in round_.trail] == [before.seen, HeadSeen(block(TIP), None)]
    assert round_.trail[-1].node == "net/quorum"
    assert believed_hash(round_, TIP) == hash_of(TIP)
    assert believed_hash(round_, 3) is None


# -- which hashes are asked for ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "asked"),
    [
        ([], (1000, 998)),
        ([seen_head(1000)], (1000, 998)),
        ([seen_head(1005)], (1000, 998)),
        ([seen_head(995)], (1000, 998, 995, 993)),
        ([seen_head(1)], (1000, 998, 1, 0)),
        ([seen_head(1000, final=940)], (1000, 998, 940)),
        ([seen_head(1100, final=1001)], (1000, 998)),
        ([seen_head(1100, final=1000)], (1000, 998)),
        ([seen_head(900), seen_head(950)], (1000, 998, 950, 948, 900, 898)),
    ],
)
def test_heights_to_ask_are_those_that_are_compared(
    nodes: Sequence[HeadSeen], asked: tuple[int, ...]
) -> None:
    """The tip and two below, and for each node the common height, two below, and its final."""
    assert heights_to_ask(agreeing(), 2, nodes) == asked


@pytest.mark.parametrize(
    ("late", "asked"),
    [
        (TIP + 3, (1000, 998)),
        (TIP - 1, (1000, 999, 998, 997)),
        (TIP - LINK_DEPTH_MAX, (1000, 998, 984, 982)),
        (TIP - LINK_DEPTH_MAX - 1, (1000, 998)),
        (0, (1000, 998)),
    ],
)
def test_heights_to_ask_beside_a_late_reference_are_its_own_too(
    late: int, asked: tuple[int, ...]
) -> None:
    """So that all can agree where it stands; one that is far behind costs nothing more."""
    witnesses = [witness("late", run(late)), *agreeing(names="ab")]
    assert heights_to_ask(witnesses, 2, []) == asked
    assert heights_to_ask([witness("late", run(0)), *agreeing(1, "ab")], 2, []) == (1, 0)


@pytest.mark.parametrize(
    ("late", "rules", "is_elected"),
    [(2, POLICY, True), (3, POLICY, False), (3, FAST, True), (4, FAST, False)],
)
def test_election_beside_a_liar_looks_down_to_the_slowest_healthy_reference(
    late: int, rules: Policy, *, is_elected: bool
) -> None:
    """One behind by less than the lag threshold still outvotes, with another, one that is ahead."""
    liar = witness("liar", seen_head(TIP + 10**6, branch="made up", above=TIP))
    honest = [witness("a", run(TIP, 9)), witness("b", run(TIP - late, 9))]
    context = hold_round(NETWORK, [liar, *honest], rules, NOW)
    assert isinstance(context.reference, Reference) is is_elected
    if is_elected:
        assert elected(context).head == block(TIP - late)


def test_heights_to_ask_of_too_few_are_none() -> None:
    """Without an election there is nothing to compare with, and nothing is spent on it."""
    assert heights_to_ask(agreeing(names="a"), 2, [seen_head(TIP)]) == ()


# -- any single liar -----------------------------------------------------------------------------


@st.composite
def liars(draw: st.DrawFn) -> Witness:
    """A reference that says anything at all about its head and about what it was asked."""
    number = draw(st.one_of(st.integers(0, 2**63), st.integers(TIP - 10, TIP + 10)))
    invented = st.sampled_from("pqr").map(lambda c: hash_of(draw(st.integers(0, 9)), c))
    honest = st.integers(TIP - 10, TIP + 10).map(hash_of)
    any_hash = st.one_of(invented, honest, st.just(hash_of(number)))

    def any_block(height: int) -> Head:
        return Head(BlockNumber(height), draw(any_hash), draw(any_hash), draw(st.integers(0, 9)))

    asked = [any_block(height) for height in draw(st.lists(st.integers(TIP - 9, TIP + 9)))]
    final = draw(st.none() | st.integers(0, number).map(any_block))
    identities: list[IdentitySeen | Unseen] = [HERE, ELSEWHERE, TIMEOUT]
    who = draw(st.sampled_from(identities))
    client = draw(st.sampled_from(["", "geth", "reth"]))
    seen: HeadSeen | Unseen = HeadSeen(any_block(number), final)
    seen = draw(st.sampled_from([seen, seen, seen, TIMEOUT]))
    return witness("liar", seen, identity=who, asked=asked, client=client)


@given(st.data(), st.sampled_from([3, 5, 7]), liars())
@settings(max_examples=300)
def test_one_liar_among_an_odd_number_moves_neither_head_nor_lag(
    data: st.DataObject, count: int, liar: Witness
) -> None:
    """Whatever one reference says, the head is an honest block and lag is measured within range.

    The honest are at most two blocks apart, as healthy ones are, and answer what they are asked.
    The lag head's height is in range; its hash decides nothing.
    """
    numbers = data.draw(st.lists(st.integers(TIP, TIP + 2), min_size=count - 1, max_size=count - 1))
    families = ["geth", "reth", ""]
    first = [witness(f"h{i}", run(n, 1)) for i, n in enumerate(numbers)]
    admitted, _ = admit([*first, liar], ChainIdentity(HERE.chain_id, HERE.genesis_hash))
    asked = heights_to_ask(admitted, count // 2 + 1, [])
    honest = [
        witness(
            f"h{i}",
            run(n, 1),
            asked=[block(h) for h in asked if h <= n],
            client=data.draw(st.sampled_from(families)),
        )
        for i, n in enumerate(numbers)
    ]
    position = data.draw(st.integers(0, len(honest)))
    reference = elected(round_of(*honest[:position], liar, *honest[position:]))
    assert reference.head.hash == hash_of(reference.head.number)
    assert min(numbers) - CONTESTED_DEPTH <= reference.head.number <= max(numbers)
    assert min(numbers) <= reference.lag_head.number <= max(numbers)
    assert len(set(reference.voters) - {"op-liar"}) >= count // 2


@pytest.mark.parametrize(
    "liar",
    [
        witness("liar", run(TIP + MILLION)),
        witness("liar", run(0)),
        witness("liar", run(TIP, branch="other", above=TIP - 5)),
        witness("liar", run(TIP + 1, branch="other", above=TIP - 5)),
        witness("liar", TIMEOUT),
        witness("liar", run(TIP), identity=ELSEWHERE),
    ],
    ids=["ahead", "behind", "hash", "hash-ahead", "silent", "stranger"],
)
def test_one_liar_among_three_moves_nothing(liar: Witness) -> None:
    """A million ahead, at genesis, on another chain or silent: the others' block is elected."""
    reference = elected(round_of(liar, *agreeing(names="ab")))
    assert reference.head == reference.lag_head == block(TIP)
    assert {"op-a", "op-b"} <= set(reference.voters)
