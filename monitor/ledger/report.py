"""What a ledger is and where it is not what its rules say: as JSON, and for a person. Pure.

The JSON's shape is `docs/ledger.schema.json`, and stable. Amounts are decimal strings in nRLC,
since they may exceed what a JSON number holds everywhere; addresses are lower case; what there is
none of is null; rows of nothing but zeros are left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

from monitor.ledger.words import counted, moment, rlc, signed_rlc, table
from monitor.model import Address, BlockStamp, Hash32, short
from monitor.poco.difference import Difference
from monitor.poco.v1.state import NO_HASH, Contribution, State, WorkOrder

SCHEMA = "headwatch.ledger/1"
Protocol = Literal["poco-v1", "poco-v3", "poco-v5", "poco-v6"]
Verdict = Literal["pass", "fail", "inconclusive"]
DIFFERENCES_SHOWN_MAX = 100
"""In the text; the JSON has them all."""
HEADLINES: Mapping[Verdict, str] = {
    "pass": "PASS: the ledger is what its rules say, to the last nRLC",
    "fail": "FAIL: the ledger is not what its rules say",
    "inconclusive": "INCONCLUSIVE: not everything could be seen, so nothing is said",
}
AMOUNTS = frozenset({"stake", "locked"})
"""Kinds of difference whose values are nRLC."""


class Balance(NamedTuple):
    """Of one account, in nRLC."""

    stake: int
    """Free."""
    locked: int


class Part(NamedTuple):
    """One worker's contribution to a task."""

    status: str
    score: int
    weight: int
    result_hash: Hash32 | None


class Task(NamedTuple):
    """A work order, keyed by its address."""

    status: str
    consensus: Hash32 | None
    contributions: Mapping[Address, Part]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer, at one block."""

    protocol: Protocol
    chain_id: int
    block: BlockStamp
    verdict: Verdict
    accounts: Mapping[Address, Balance]
    """The hub's own `locked` is the kitty."""
    scores: Mapping[Address, int]
    total_supply: int | None
    """Of the token's wrapped form, which the protocol of 2018 does not have."""
    tasks: Mapping[Address, Task]
    rewards: Mapping[Address, Mapping[Address, Balance]]
    """Task -> account -> net change of both at its end; of tasks that have ended."""
    differences: tuple[Difference, ...]


def report_of(
    state: State,
    differences: Iterable[Difference],
    *,
    chain_id: int,
    block: BlockStamp,
    verdict: Verdict,
) -> Report:
    """The report of a ledger of the protocol of 2018, as the rules predict it."""
    orders = sorted(state.work_orders.items())
    return Report(
        protocol="poco-v1",
        chain_id=chain_id,
        block=block,
        verdict=verdict,
        accounts={
            account: Balance(each.stake, each.locked)
            for account, each in sorted(state.accounts.items())
            if each.stake or each.locked
        },
        scores={account: score for account, score in sorted(state.scores.items()) if score},
        total_supply=None,
        tasks={woid: _task(order) for woid, order in orders},
        rewards={woid: _rewards(order) for woid, order in orders if order.ended_at is not None},
        differences=tuple(differences),
    )


def _task(order: WorkOrder) -> Task:
    return Task(
        order.status.name.lower(),
        _hash(order.consensus),
        {worker: _part(part) for worker, part in sorted(order.contributions.items())},
    )


def _part(part: Contribution) -> Part:
    return Part(part.status.name.lower(), part.score, part.weight, _hash(part.result_hash))


def _hash(value: Hash32) -> Hash32 | None:
    return None if value == NO_HASH else value


def _rewards(order: WorkOrder) -> Mapping[Address, Balance]:
    return {
        account: Balance(stake, locked)
        for account, (stake, locked) in sorted(order.rewards.items())
        if stake or locked
    }


def to_json(report: Report) -> bytes:
    """The JSON document: equal reports give equal bytes."""
    document = {
        "schema": SCHEMA,
        "protocol": report.protocol,
        "chain_id": report.chain_id,
        "block": asdict(report.block),
        "verdict": report.verdict,
        "accounts": {
            account: {"stake": str(each.stake), "locked": str(each.locked)}
            for account, each in report.accounts.items()
        },
        "scores": report.scores,
        "total_supply": _decimal(report.total_supply),
        "tasks": {task: _task_json(each) for task, each in report.tasks.items()},
        "rewards": {
            task: {
                "stake": {who: str(each.stake) for who, each in moved.items() if each.stake},
                "locked": {who: str(each.locked) for who, each in moved.items() if each.locked},
            }
            for task, moved in report.rewards.items()
        },
        "differences": [_difference_json(each) for each in report.differences],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode()


def _decimal(value: int | str | None) -> str | None:
    return None if value is None else str(value)


def _task_json(task: Task) -> Mapping[str, object]:
    return {
        "status": task.status,
        "consensus": task.consensus,
        "contributions": {worker: part._asdict() for worker, part in task.contributions.items()},
    }


def _difference_json(difference: Difference) -> Mapping[str, object]:
    return {
        "kind": difference.kind,
        "account": difference.account,
        "task": difference.task,
        "predicted": _decimal(difference.predicted),
        "logged": _decimal(difference.logged),
        "stored": _decimal(difference.stored),
        "delta": _decimal(difference.delta),
        "block": difference.block,
        "transaction": difference.transaction,
        "log_index": difference.log_index,
        "why": difference.why,
    }


def text(report: Report) -> str:
    """What a person reads on a terminal: the verdict, at which block, of what, and what differs."""
    block = report.block
    place = f"block {block.number:,} {short(block.hash)}, {moment(block.timestamp)}"
    lines = [
        _headline(report),
        f"{report.protocol} on chain {report.chain_id}, at {place}",
        *_counts(report),
    ]
    shown = report.differences[:DIFFERENCES_SHOWN_MAX]
    if shown:
        head = ("what", "account", "task", "by the rules", "logged", "on the chain", "delta")
        rows = [head, *(_row(difference) for difference in shown)]
        lines += ["", *table(rows, right=frozenset({3, 4, 5, 6})), ""]
        lines += [f"- {_where(difference)}{difference.why}" for difference in shown]
    left = len(report.differences) - len(shown)
    if left:
        lines.append(f"and {counted(left, 'more difference')}: --json has them all")
    return "\n".join(lines) + "\n"


def _headline(report: Report) -> str:
    number = len(report.differences)
    more = f" ({counted(number, 'difference')})" if number else ""
    return f"{HEADLINES[report.verdict]}{more}"


def _counts(report: Report) -> list[str]:
    accounts = report.accounts.values()
    parts = [part for task in report.tasks.values() for part in task.contributions.values()]
    free, locked = sum(a.stake for a in accounts), sum(a.locked for a in accounts)
    points = counted(sum(report.scores.values()), "point")
    return [
        f"{counted(len(accounts), 'account')} with {rlc(free)} free and {rlc(locked)} locked",
        _by_status(counted(len(report.tasks), "work order"), report.tasks.values()),
        _by_status(counted(len(parts), "contribution"), parts),
        f"{counted(len(report.scores), 'score')} above 0, {points} in all",
    ]


def _by_status(words: str, found: Iterable[Task | Part]) -> str:
    """The number, and how many have each status, the most frequent first."""
    counts = sorted(Counter(each.status for each in found).items(), key=lambda c: (-c[1], c[0]))
    return words + (": " if counts else "") + ", ".join(f"{n:,} {status}" for status, n in counts)


def _row(difference: Difference) -> tuple[str, ...]:
    kind = difference.kind
    delta = difference.delta
    if delta is None:
        change = ""
    elif kind in AMOUNTS:
        change = signed_rlc(delta, "")
    else:
        change = f"{delta:+,}"
    return (
        kind.replace("_", " "),
        _short(difference.account),
        _short(difference.task),
        _value(kind, difference.predicted),
        _value(kind, difference.logged),
        _value(kind, difference.stored),
        change,
    )


def _short(address: Address | None) -> str:
    return "" if address is None else short(address)


def _value(kind: str, value: int | str | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return short(value) if value.startswith("0x") else value
    return rlc(value, "") if kind in AMOUNTS else f"{value:,}"


def _where(difference: Difference) -> str:
    """The place in the chain, where the difference has one."""
    if difference.block is None:
        return ""
    place = f"block {difference.block:,}"
    if difference.log_index is not None:
        place += f", log {difference.log_index}"
    if difference.transaction is not None:
        place += f", transaction {difference.transaction}"
    return place + ": "
