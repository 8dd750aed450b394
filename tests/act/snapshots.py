"""Snapshots by hand: what the sidecar would show in the situations that its pages are made for.

Findings are written by hand in the words of the judges; only verdicts are computed, so that what
a page is drawn from does not change with the judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from monitor.judge.seen import Chain, ForkSeen, HeadSeen, IdentitySeen
from monitor.judge.verdict import verdict_of
from monitor.model import (
    AccountFacts,
    BlockNumber,
    Evidence,
    Finding,
    Hash32,
    Head,
    Level,
    NetworkFacts,
    NodeFacts,
    Observation,
    Reference,
    Snapshot,
    Unseen,
    Verdict,
    account_subject,
    reference_label,
    subject_of,
)

NOW = 1_795_000_000.0
TIP = 21_000_123
NETWORK = "ethereum"
KEY = "s3cr3t-key-of-a-provider"
REFERENCES = (("a", "one", "geth"), ("b", "two", "nethermind"), ("c", "three", "besu"))
GETH = "Geth/v1.16.2-stable-3a4b/linux-amd64/go1.25"


def hash_of(number: int, branch: int = 0) -> Hash32:
    """A hash that is another one on every branch."""
    return Hash32(f"0x{branch:032x}{number:032x}")


def head_at(number: int, branch: int = 0) -> Head:
    """A block of a chain with one block in 12 s, whose tip is 4 s old at `NOW`."""
    return Head(
        number=BlockNumber(number),
        hash=hash_of(number, branch),
        parent_hash=hash_of(number - 1, branch),
        timestamp=int(NOW) - 4 - 12 * (TIP - number),
    )


def network_facts(name: str = NETWORK, reference: Reference | None = None) -> NetworkFacts:
    return NetworkFacts(
        name=name,
        profile="ethereum@1",
        interval_seconds=12.0,
        lag_blocks=2,
        stall_seconds=52.0,
        confirmations=3,
        reference=reference,
        round_at=NOW - 1.5,
        round_seconds=0.084,
        rounds_total=4321,
    )


def quorum() -> Reference:
    return Reference(
        head=head_at(TIP),
        lag_head=head_at(TIP),
        voters=("one", "three", "two"),
        operators=3,
        confidence="high",
    )


def node_facts(name: str = "local", client: str = GETH) -> NodeFacts:
    return NodeFacts(
        name=name,
        network=NETWORK,
        kind="node",
        url="http://10.0.0.7:8545/***",
        client=client,
        calls_total=12_345,
        errors_total={"timeout": 2},
        subscription="live",
        last_exchange=('[{"jsonrpc":"2.0"}]', '[{"result":"0x1"}]'),
    )


def reference_facts(name: str, operator: str, client: str) -> NodeFacts:
    return NodeFacts(
        name=name,
        network=NETWORK,
        kind="reference",
        url=f"https://{name}.example.org:443/***",
        client=client,
        operator=operator,
        calls_total=9_000,
        calls_today=4_100,
        calls_a_day=50_000,
    )


def observed(node: str, check: str, seen: object, at: float = NOW - 1.5) -> Observation[object]:
    return Observation(node, check, at, 0.012, seen)


def observations_of(node: str, number: int, branch: int = 0) -> tuple[Observation[object], ...]:
    """What the three probes wrote down of a node with this head."""
    seen = HeadSeen(head_at(number, branch), head_at(number - 64))
    return (
        observed(node, "head", seen),
        observed(node, "identity", IdentitySeen(1, hash_of(0), GETH)),
        observed(node, "fork", ForkSeen(seen, Chain({number: seen.head.hash}))),
    )


def finding(
    check: str, subject: str, level: Level = Level.OK, reason: str = "fine", **more: object
) -> Finding:
    """A finding with the fields that every one has; `more` are those of `Finding`."""
    plain = Finding(
        check=check,
        subject=subject,
        network=NETWORK,
        level=level,
        reason=reason,
        summary=f"{check} is {level.word}",
        since=NOW - 3600.0,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def healthy_findings(name: str = "local") -> tuple[Finding, ...]:
    subject = subject_of(name)
    head = head_at(TIP)
    return (
        finding(
            "fork",
            subject,
            summary=f"same hash as the references at block {TIP}",
            measured=0.0,
            limit=3.0,
            unit="blocks",
            as_of=head.stamp,
        ),
        finding(
            "head",
            subject,
            summary=f"block {TIP}, level with the references",
            measured=0.0,
            limit=2.0,
            unit="blocks",
            as_of=head.stamp,
        ),
        finding("identity", subject, summary=f"serves chain 1 with {GETH}"),
        finding(
            "stall",
            subject,
            summary=f"block {TIP} for 3.1 s",
            measured=0.0,
            limit=2.0,
            unit="blocks",
        ),
    )


def reference_findings() -> tuple[Finding, ...]:
    label = reference_label(NETWORK)
    return (
        *(
            finding(
                "references",
                subject_of(reference_label(NETWORK, name)),
                summary=f"at block {TIP}, with the majority",
                measured=0.0,
                limit=2.0,
                unit="blocks",
            )
            for name, _, _ in REFERENCES
        ),
        finding(
            "references",
            subject_of(label),
            measured=3.0,
            limit=2.0,
            unit="operators",
            summary=f"3 of 3 operators agree on block {TIP}, confidence high",
        ),
        finding(
            "stall",
            subject_of(label),
            measured=3.1,
            limit=52.0,
            unit="seconds",
            summary=f"no reference has named a block after {TIP} for 3.1 s",
        ),
    )


def snapshot_of(
    findings: tuple[Finding, ...],
    nodes: tuple[NodeFacts, ...],
    observations: tuple[Observation[object], ...],
    reference: Reference | None = None,
) -> Snapshot:
    references = tuple(reference_facts(*row) for row in REFERENCES)
    seen = tuple(
        observed(reference_label(NETWORK, name), "head", HeadSeen(head_at(TIP), None))
        for name, _, _ in REFERENCES
    )
    return Snapshot(
        at=NOW,
        verdict=verdict_of(findings, NOW),
        observations=(*seen, *observations),
        networks=(network_facts(reference=reference),),
        endpoints=(*references, *nodes),
        ready=True,
    )


def healthy(*names: str) -> Snapshot:
    """Every node level with three references of three operators."""
    names = names or ("local",)
    return snapshot_of(
        (*(f for name in names for f in healthy_findings(name)), *reference_findings()),
        tuple(node_facts(name) for name in names),
        tuple(o for name in names for o in observations_of(name, TIP)),
        quorum(),
    )


def stalled() -> Snapshot:
    """One of two nodes stands still, and is behind because of that."""
    still = head_at(TIP - 9)
    subject = subject_of("local")
    words = "lag >= 2 blocks (ethereum@1: skew 3 s at one block in 12 s, p <= 1e-06)"
    stall = finding(
        "stall",
        subject,
        Level.FAILED,
        "stalled",
        summary=f"stands at block {TIP - 9} for 112.0 s, while the references moved 9 blocks "
        f"to {TIP}",
        measured=9.0,
        limit=2.0,
        unit="blocks",
        as_of=still.stamp,
        since=NOW - 84.0,
        evidence=(
            Evidence(
                "local",
                "eth_getBlockByNumber(latest)",
                f"block {TIP - 9} since 112.0 s",
                NOW - 112.0,
                still.stamp,
            ),
            Evidence(
                f"{NETWORK} references (one, three, two)",
                "quorum",
                "moved 9 blocks in that time",
                NOW - 1.5,
                head_at(TIP).stamp,
                words,
            ),
        ),
    )
    head = finding(
        "head",
        subject,
        Level.FAILED,
        "behind",
        summary=f"block {TIP - 9}, 9 blocks (108 s) behind the references at {TIP}",
        measured=9.0,
        limit=2.0,
        unit="blocks",
        as_of=still.stamp,
        since=NOW - 84.0,
        because=("stall", subject),
        evidence=(
            Evidence(
                "local",
                "eth_getBlockByNumber(latest)",
                f"block {TIP - 9}, 112 s old",
                NOW - 1.5,
                still.stamp,
            ),
            Evidence(
                f"{NETWORK} references (one, three, two)",
                "quorum",
                f"agreed on block {TIP}, lag is measured from {TIP}, confidence high",
                NOW - 1.5,
                head_at(TIP).stamp,
                words,
                3.1e-9,
            ),
        ),
    )
    good = tuple(f for f in healthy_findings() if f.check in {"identity", "fork"})
    return snapshot_of(
        (stall, head, *good, *healthy_findings("spare"), *reference_findings()),
        (node_facts(), node_facts("spare")),
        (*observations_of("local", TIP - 9), *observations_of("spare", TIP)),
        quorum(),
    )


def unreachable() -> Snapshot:
    """The only node does not answer."""
    subject = subject_of("local")
    unseen = Unseen("refused", "the connection was refused")
    root = finding(
        "head",
        subject,
        Level.UNKNOWN,
        "refused",
        since=NOW - 30.0,
        summary=f"its head could not be seen: {unseen.detail}",
    )
    more = tuple(
        finding(
            check,
            subject,
            Level.UNKNOWN,
            "refused",
            since=NOW - 30.0,
            summary=f"not seen: {unseen.detail}",
            because=("head", subject),
        )
        for check in ("fork", "identity", "stall")
    )
    facts = replace(node_facts(), errors_total={"refused": 41}, subscription="down")
    return snapshot_of(
        (root, *more, *reference_findings()),
        (facts,),
        tuple(observed("local", check, unseen) for check in ("head", "identity", "fork")),
        quorum(),
    )


def split() -> Snapshot:
    """The references do not agree, so nothing can be said of the node."""
    label = subject_of(reference_label(NETWORK))
    why = f"no hash has 2 of 3 operators at block {TIP} nor 2 below it"
    root = finding(
        "references",
        label,
        Level.UNKNOWN,
        "split",
        summary=why,
        measured=3.0,
        limit=2.0,
        unit="operators",
        since=NOW - 20.0,
    )
    still = finding(
        "stall",
        label,
        Level.UNKNOWN,
        "no_quorum",
        since=NOW - 20.0,
        summary=f"nothing to compare it with: {why}",
        because=root.key,
    )
    subject = subject_of("local")
    more = tuple(
        finding(
            check,
            subject,
            Level.UNKNOWN,
            "no_quorum",
            since=NOW - 20.0,
            summary=f"nothing to compare it with: {why}",
            because=root.key,
        )
        for check in ("head", "stall", "fork")
    )
    good = tuple(f for f in healthy_findings() if f.check == "identity")
    single = tuple(f for f in reference_findings() if f.subject != label)
    return snapshot_of(
        (root, still, *more, *good, *single), (node_facts(),), observations_of("local", TIP)
    )


def fleet(count: int = 200) -> Snapshot:
    """So many healthy nodes."""
    return healthy(*(f"node-{number:03d}" for number in range(count)))


def beginning() -> Snapshot:
    """Before the first round: nothing was asked and nothing judged."""
    begun = healthy()
    network = replace(begun.networks[0], round_at=None, reference=None, rounds_total=0)
    return replace(
        begun, verdict=verdict_of((), NOW), observations=(), networks=(network,), ready=False
    )


def account_facts(alias: str = "payer", /, **more: object) -> AccountFacts:
    """An account that is well, with one transaction pending; `more` are those of `AccountFacts`."""
    label = reference_label(NETWORK, "a")
    plain = AccountFacts(
        alias=alias,
        network=NETWORK,
        node="local",
        round_at=NOW - 1.5,
        states={"pending": 1, "mined": 3},
        oldest_pending_seconds=9.0,
        nonces={
            ("local", "latest"): 7,
            ("local", "pending"): 8,
            (label, "latest"): 7,
            (label, "pending"): 8,
        },
        budget_spent_wei=2 * 10**15,
        budget_limit_wei=10**17,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def account_finding(
    alias: str = "payer", level: Level = Level.OK, reason: str = "pending", **more: object
) -> Finding:
    """What is found of an account; `more` are the fields of `Finding`."""
    return finding("transactions", account_subject(alias), level, reason, **more)


def watching(snapshot: Snapshot, *accounts: AccountFacts) -> Snapshot:
    """The snapshot of a sidecar that watches these accounts as well, and finds them well."""
    accounts = accounts or (account_facts(),)
    known = {found.key for found in snapshot.verdict.findings}
    well = (account_finding(facts.alias) for facts in accounts)
    found = (*snapshot.verdict.findings, *(each for each in well if each.key not in known))
    return replace(
        snapshot,
        verdict=verdict_of(found, snapshot.at),
        accounts=accounts,
        transactions_mode="acting",
    )


SITUATIONS: Mapping[str, Snapshot] = {
    "healthy": healthy(),
    "stalled": stalled(),
    "unreachable": unreachable(),
    "split": split(),
    "beginning": beginning(),
}


def with_finding(snapshot: Snapshot, new: Finding) -> Snapshot:
    """The snapshot with one finding replaced or added, and the verdict that follows."""
    kept = [f for f in snapshot.verdict.findings if f.key != new.key]
    verdict: Verdict = verdict_of((*kept, new), snapshot.at)
    return replace(snapshot, verdict=verdict)
