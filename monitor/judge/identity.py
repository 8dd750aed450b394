"""identity: does the node serve this network's chain at all, and which program is it?

The chain is known by two numbers that no client invents: the chain id (EIP-155, EIP-695) and the
hash of block 0. They come from the profile, or else from the strict majority of the references.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.judge.profiles import Policy
from monitor.judge.quorum import ChainIdentity, NoQuorum, Round
from monitor.judge.seen import IdentitySeen
from monitor.model import Evidence, Finding, Level, Observation, Unseen, short, subject_of

CHECK = "identity"


def judge(
    history: Sequence[Observation[IdentitySeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding of the node's newest identity.

    UNKNOWN when it could not be seen, or when neither profile nor references say which chain the
    network is. With one reference, a difference in what the profile does not name only degrades:
    either of the two may be the stranger.
    """
    del now
    if not history:
        return ()
    newest = history[-1]
    seen = newest.seen
    blank = Finding(
        check=CHECK,
        subject=subject_of(newest.node),
        network=context.network,
        level=Level.UNKNOWN,
        reason="",
        summary="",
    )
    if isinstance(seen, Unseen):
        return (replace(blank, reason=seen.reason, summary=f"not seen: {seen.detail}"),)
    said = Evidence(
        source=newest.node,
        method="eth_chainId, eth_getBlockByNumber(0), web3_clientVersion",
        said=f"chain {seen.chain_id}, genesis {seen.genesis_hash}, {_program(seen)}",
        at=newest.at,
    )
    expected = context.identity
    if expected is None:
        why = (
            context.reference.summary if isinstance(context.reference, NoQuorum) else "no majority"
        )
        summary = f"serves chain {seen.chain_id}; which chain it should serve is not known: {why}"
        return (replace(blank, reason="no_identity", summary=summary, evidence=(said,)),)
    level, reason, summary = _compare(seen, expected, context, policy)
    source = (
        policy.label if policy.profile.chain_id is not None else f"{context.network} references"
    )
    wanted = Evidence(
        source=source,
        method="expected",
        said=f"chain {expected.chain_id}, genesis {expected.genesis_hash}",
        at=context.at,
    )
    return (replace(blank, level=level, reason=reason, summary=summary, evidence=(said, wanted)),)


def _compare(
    seen: IdentitySeen, expected: ChainIdentity, context: Round, policy: Policy
) -> tuple[Level, str, str]:
    several = context.operators > 1
    if seen.chain_id != expected.chain_id:
        certain = several or policy.profile.chain_id is not None
        return (
            Level.FAILED if certain else Level.DEGRADED,
            "wrong_chain",
            f"serves chain {seen.chain_id}, but {context.network} is chain {expected.chain_id}",
        )
    if seen.genesis_hash != expected.genesis_hash:
        certain = several or policy.profile.genesis_hash is not None
        theirs = f"{context.network} began with {short(expected.genesis_hash)}"
        return (
            Level.FAILED if certain else Level.DEGRADED,
            "wrong_genesis",
            f"its genesis is {short(seen.genesis_hash)}, but {theirs}",
        )
    return (Level.OK, "same_chain", f"serves chain {seen.chain_id} with {_program(seen)}")


def _program(seen: IdentitySeen) -> str:
    return seen.client_version or "a program that it does not name"
