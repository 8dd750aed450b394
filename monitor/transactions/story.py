"""Everything that is known of one slot, as a value, as lines for a person and as JSON. Pure.

Whoever is called at night finds here what was seen, what was done, and the bytes with a command
that sends them without us. A wei is never rounded; texts of nodes are shown without what a terminal
would obey.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from monitor.model import Evidence, Hash32, Level, short
from monitor.transactions.reactions import remedy_of
from monitor.transactions.words import Attempt, Slot, State, Transaction

RPC_URL = "RPC_URL"
"""What stands for an endpoint: ours have keys in their paths."""
ARGUMENT_BYTES_MAX = 131_071
"""Of one argument of a command (execve(2), MAX_ARG_STRLEN); network forms of blobs are longer."""
REQUEST_FILE = "request.json"
RAW_BYTES_SHOWN_MAX = 65_000
"""In lines; JSON has all of them."""
ETHER_DIGITS = 18
GWEI_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Stage:
    """A state that the slot was in, and why."""

    at: float
    before: State | None
    """None where it was made."""
    state: State
    row: str
    """Of the decision table; empty where nobody judged."""
    level: Level | None
    summary: str
    evidence: tuple[Evidence, ...] = ()
    mined_number: int | None = None
    mined_hash: Hash32 | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """One attempt sent to one node."""

    id: int
    hash: Hash32
    node: str
    act: str
    intent_at: float
    done_at: float | None
    """None: whether it was sent is not known."""
    reaction: str = ""
    message: str = ""
    """What the node said."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a node said of the slot's transactions."""

    node: str
    said: str
    number: int | None
    """The node's height."""
    at: float


@dataclass(frozen=True, slots=True)
class Story:
    """One slot, from its first sight to its end. Everything is oldest first."""

    network: str
    alias: str
    slot: Slot
    sources: Mapping[Hash32, str]
    """Who showed each attempt first."""
    raw: Mapping[Hash32, bytes]
    """The bytes of each attempt that the journal has them of."""
    stages: tuple[Stage, ...]
    sends: tuple[Send, ...]
    said: tuple[Said, ...]
    consumer_hash: Hash32 | None = None
    """What took the nonce in a final block, an attempt or not."""


def request(raw: bytes) -> str:
    """The JSON-RPC request that sends a transaction (execution-apis, eth_sendRawTransaction)."""
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "eth_sendRawTransaction",
        "params": [f"0x{raw.hex()}"],
    }
    return json.dumps(body, separators=(",", ":"))


def curl(raw: bytes) -> str:
    """A command that sends a transaction to `RPC_URL`.

    Where the request is too long for a command, it is read from the file `request.json`.
    """
    body = request(raw)
    given = f"'{body}'" if len(body) <= ARGUMENT_BYTES_MAX else f"@{REQUEST_FILE}"
    return f"curl -s -H 'content-type: application/json' -d {given} {RPC_URL}"


def lines(story: Story, when: Callable[[float], str]) -> tuple[str, ...]:
    """For a person; `when` writes a time."""
    return (
        *_heading(story, when),
        "attempts",
        *(line for each in story.slot.attempts for line in _attempt(story, each, when)),
        "states",
        *(line for stage in story.stages for line in _stage(stage, when)),
        *(("sends",) if story.sends else ()),
        *(f"  {when(send.intent_at)}  {_send(send)}" for send in story.sends),
        *_remedies(story),
        *(("said",) if story.said else ()),
        *(f"  {when(said.at)}  {_said(said)}" for said in story.said),
    )


def as_json(story: Story) -> dict[str, object]:
    """For a program: times in seconds since the epoch, amounts in wei as decimal strings."""
    slot = story.slot
    return {
        "network": story.network,
        "alias": story.alias,
        "chain_id": slot.chain_id,
        "sender": slot.sender,
        "nonce": slot.nonce,
        "state": slot.state.value,
        "since": slot.since,
        "first_seen_at": slot.first_seen_at,
        "first_seen_number": slot.first_seen_number,
        "mined_number": slot.mined_number,
        "mined_hash": slot.mined_hash,
        "closed_at": slot.closed_at,
        "consumer_hash": story.consumer_hash,
        "attempts": [_attempt_json(story, attempt) for attempt in slot.attempts],
        "states": [
            {
                "at": stage.at,
                "before": None if stage.before is None else stage.before.value,
                "state": stage.state.value,
                "row": stage.row,
                "level": None if stage.level is None else stage.level.word,
                "summary": stage.summary,
                "mined_number": stage.mined_number,
                "mined_hash": stage.mined_hash,
                "evidence": [_evidence_json(each) for each in stage.evidence],
            }
            for stage in story.stages
        ],
        "sends": [
            {
                "hash": send.hash,
                "node": send.node,
                "act": send.act,
                "intent_at": send.intent_at,
                "done_at": send.done_at,
                "reaction": send.reaction,
                "message": send.message,
            }
            for send in story.sends
        ],
        "said": [
            {"at": said.at, "node": said.node, "said": said.said, "number": said.number}
            for said in story.said
        ],
    }


# -- lines ---------------------------------------------------------------------------------------


def _heading(story: Story, when: Callable[[float], str]) -> Iterator[str]:
    slot = story.slot
    yield (
        f"nonce {slot.nonce} of {slot.sender}"
        f" ({_plain(story.alias)}, {_plain(story.network)}, chain {slot.chain_id})"
    )
    yield f"{slot.state} since {when(slot.since)}"
    height = "" if slot.first_seen_number is None else f" at height {slot.first_seen_number}"
    yield f"first seen {when(slot.first_seen_at)}{height}"
    if slot.mined_number is not None:
        yield f"in block {slot.mined_number} {slot.mined_hash}"
    if slot.closed_at is not None:
        yield f"closed {when(slot.closed_at)} by {story.consumer_hash}"


def _attempt(story: Story, attempt: Attempt, when: Callable[[float], str]) -> Iterator[str]:
    source = _plain(story.sources.get(attempt.hash, ""))
    yield f"  {attempt.hash}"
    yield f"    {attempt.kind}, first seen {when(attempt.first_seen_at)}, {source}"
    if attempt.transaction is not None:
        yield f"    {_transaction(attempt.transaction)}"
    raw = story.raw.get(attempt.hash)
    if raw is None:
        yield "    its bytes are not known"
        return
    rest = "" if len(raw) <= RAW_BYTES_SHOWN_MAX else f"… ({len(raw)} bytes; as JSON it is whole)"
    yield f"    raw 0x{raw[:RAW_BYTES_SHOWN_MAX].hex()}{rest}"
    yield f"    {curl(raw)}"


def _transaction(transaction: Transaction) -> str:
    parts = [
        f"type {transaction.type}",
        "creates a contract" if transaction.to is None else f"to {transaction.to}",
        f"value {_decimal(transaction.value_wei, ETHER_DIGITS)} ether",
        f"gas {transaction.gas}",
        f"fee cap {_decimal(transaction.fee_cap_wei, GWEI_DIGITS)} gwei",
        f"tip cap {_decimal(transaction.tip_cap_wei, GWEI_DIGITS)} gwei",
    ]
    if transaction.blob_fee_cap_wei is not None:
        cap = _decimal(transaction.blob_fee_cap_wei, GWEI_DIGITS)
        parts.append(f"{transaction.blob_count} blobs, blob fee cap {cap} gwei")
    if transaction.authorizations:
        parts.append(f"{transaction.authorizations} authorizations")
    return ", ".join((*parts, f"{len(transaction.data)} bytes of data"))


def _stage(stage: Stage, when: Callable[[float], str]) -> Iterator[str]:
    change = stage.state if stage.before is None else f"{stage.before} -> {stage.state}"
    judged = [] if not stage.row else [f"row {stage.row}"]
    judged += [] if stage.level is None else [stage.level.word]
    why = f" ({', '.join(judged)})" if judged else ""
    yield f"  {when(stage.at)}  {change}{why}: {_plain(stage.summary)}"
    if stage.mined_number is not None:
        yield f"    block {stage.mined_number} {stage.mined_hash}"
    for each in stage.evidence:
        limit = "" if each.threshold is None else f" (limit: {each.threshold})"
        yield f"    {_plain(f'{each.source} {each.method}: {each.said}{limit}')}"


def _send(send: Send) -> str:
    said = f"{send.reaction}" + (f" ({send.message})" if send.message else "")
    end = "no answer is known" if send.done_at is None else said
    return _plain(f"{send.act} {short(send.hash)} to {send.node}: {end}")


def _remedies(story: Story) -> Iterator[str]:
    """What helps where a node did not take it when it was last sent to it; closed, nothing does."""
    if story.slot.closed_at is not None:
        return
    newest = {send.node: send for send in story.sends if send.done_at is not None}
    reactions = [send.reaction for send in newest.values() if remedy_of(send.reaction)]
    if reactions:
        yield "what helps"
    for reaction in dict.fromkeys(reactions):
        nodes = [node for node, send in newest.items() if send.reaction == reaction]
        yield _plain(f"  {', '.join(nodes)}, {reaction}: {remedy_of(reaction)}")


def _said(said: Said) -> str:
    height = "" if said.number is None else f" at {said.number}"
    return _plain(f"{said.node}{height}: {said.said}")


def _decimal(amount: int, digits: int) -> str:
    """An amount in a larger unit, exactly: `1.5`."""
    whole, rest = divmod(amount, 10**digits)
    return f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".")


def _plain(text: str) -> str:
    """On one line, and nothing in it that a terminal obeys."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


# -- JSON ----------------------------------------------------------------------------------------


def _attempt_json(story: Story, attempt: Attempt) -> dict[str, object]:
    raw = story.raw.get(attempt.hash)
    transaction = attempt.transaction
    return {
        "hash": attempt.hash,
        "kind": attempt.kind,
        "first_seen_at": attempt.first_seen_at,
        "source": story.sources.get(attempt.hash),
        "transaction": None if transaction is None else _transaction_json(transaction),
        "raw": None if raw is None else f"0x{raw.hex()}",
        "curl": None if raw is None else curl(raw),
    }


def _transaction_json(transaction: Transaction) -> dict[str, object]:
    blob_fee_cap_wei = transaction.blob_fee_cap_wei
    return {
        "type": transaction.type,
        "chain_id": transaction.chain_id,
        "to": transaction.to,
        "value_wei": str(transaction.value_wei),
        "gas": str(transaction.gas),
        "fee_cap_wei": str(transaction.fee_cap_wei),
        "tip_cap_wei": str(transaction.tip_cap_wei),
        "blob_fee_cap_wei": None if blob_fee_cap_wei is None else str(blob_fee_cap_wei),
        "blob_count": transaction.blob_count,
        "authorizations": transaction.authorizations,
        "data": f"0x{transaction.data.hex()}",
    }


def _evidence_json(evidence: Evidence) -> dict[str, object]:
    block = evidence.block
    return {
        "source": evidence.source,
        "method": evidence.method,
        "said": evidence.said,
        "at": evidence.at,
        "block": None if block is None else {"number": block.number, "hash": block.hash},
        "threshold": evidence.threshold,
        "p_value": evidence.p_value,
    }
