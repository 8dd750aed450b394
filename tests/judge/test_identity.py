"""Does the node serve this network's chain: named by the profile, by references, or by nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.judge.identity import judge
from monitor.judge.profiles import DEV, Policy, override, policy
from monitor.judge.quorum import Round, hold_round
from monitor.judge.seen import IdentitySeen
from monitor.model import Finding, Level, Observation, Unseen
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
    round_of,
    run,
    witness,
)

OTHER_ID = replace(HERE, chain_id=61)
OTHER_GENESIS = replace(HERE, genesis_hash=ELSEWHERE.genesis_hash)


def judged(seen: IdentitySeen | Unseen, context: Round, rules: Policy = POLICY) -> Finding:
    observation: Observation[IdentitySeen] = Observation("local", "identity", NOW, 0.1, seen)
    (finding,) = judge([observation], context, rules, NOW)
    assert finding.key == ("identity", "node:local")
    assert finding.network == NETWORK
    return finding


def test_identity_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], round_of(*agreeing()), POLICY, NOW) == ()


def test_identity_that_was_not_seen_is_unknown() -> None:
    """The reason is that of the failure."""
    finding = judged(TIMEOUT, round_of(*agreeing()))
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "timeout")
    assert TIMEOUT.detail in finding.summary


@pytest.mark.parametrize(
    ("seen", "level", "reason"),
    [
        (HERE, Level.OK, "same_chain"),
        (replace(HERE, client_version="besu/v25"), Level.OK, "same_chain"),
        (OTHER_ID, Level.FAILED, "wrong_chain"),
        (OTHER_GENESIS, Level.FAILED, "wrong_genesis"),
        (ELSEWHERE, Level.FAILED, "wrong_chain"),
    ],
)
@pytest.mark.parametrize("references", ["", "a", "abc"])
def test_identity_on_a_named_network_is_compared_with_the_profile(
    seen: IdentitySeen, level: Level, reason: str, references: str
) -> None:
    """Where the profile names the chain, no reference is needed to see a stranger."""
    finding = judged(seen, round_of(*agreeing(names=references)))
    assert (finding.level, finding.reason) == (level, reason)
    assert [e.source for e in finding.evidence] == ["local", "ethereum@1"]


def test_identity_without_a_version_is_judged_by_its_chain() -> None:
    """A node that serves no `web3` says which chain it is on, and the sentence stays whole."""
    finding = judged(replace(HERE, client_version=""), round_of(*agreeing()))
    assert (finding.level, finding.reason) == (Level.OK, "same_chain")
    assert finding.summary == "serves chain 1 with a program that it does not name"


@pytest.mark.parametrize(
    ("operators", "seen", "level", "reason"),
    [
        ("abc", HERE, Level.OK, "same_chain"),
        ("abc", OTHER_ID, Level.FAILED, "wrong_chain"),
        ("ab", OTHER_ID, Level.FAILED, "wrong_chain"),
        ("ab", OTHER_GENESIS, Level.FAILED, "wrong_genesis"),
        ("a", HERE, Level.OK, "same_chain"),
        ("a", OTHER_ID, Level.DEGRADED, "wrong_chain"),
        ("a", OTHER_GENESIS, Level.DEGRADED, "wrong_genesis"),
    ],
)
def test_identity_on_a_nameless_network_is_compared_with_the_references(
    operators: str, seen: IdentitySeen, level: Level, reason: str
) -> None:
    """With one reference either of the two may be the stranger, so it only degrades."""
    finding = judged(seen, round_of(*agreeing(names=operators), rules=NAMELESS), NAMELESS)
    assert (finding.level, finding.reason) == (level, reason)
    assert [e.source for e in finding.evidence] == ["local", f"{NETWORK} references"]


@pytest.mark.parametrize(
    ("seen", "level"), [(OTHER_ID, Level.FAILED), (OTHER_GENESIS, Level.DEGRADED)]
)
def test_identity_whose_half_is_named_is_as_certain_as_that_half(
    seen: IdentitySeen, level: Level
) -> None:
    """A chain id from the profile is certain; a genesis that one reference names is not."""
    rules = policy(override(DEV, chain_id=HERE.chain_id))
    context = hold_round(NETWORK, agreeing(names="a"), rules, NOW)
    assert judged(seen, context, rules).level == level


def test_identity_of_a_network_that_nobody_names_is_unknown() -> None:
    """The sentence says which chain the node serves, and why nothing can be said of it."""
    silent = round_of(*(witness(n, TIMEOUT, identity=None) for n in "abc"), rules=NAMELESS)
    finding = judged(HERE, silent, NAMELESS)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "no_identity")
    assert "serves chain 1" in finding.summary
    assert "0 of 3 reference operators" in finding.summary


def test_identity_without_majority_beside_an_election_says_no_majority() -> None:
    """The context may hold a reference and still no chain."""
    context = replace(round_of(witness("a", run(TIP))), identity=None)
    assert judged(HERE, context).summary.endswith("no majority")
