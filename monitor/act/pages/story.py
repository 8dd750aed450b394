"""One transaction: every state it was in, who said so, and what was sent. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.act.pages.accounts import state_words
from monitor.act.pages.band import Band, band_of
from monitor.act.pages.cards import BADGES, EvidenceRow, evidence_rows
from monitor.act.words import clock_time, duration, plain
from monitor.model import Hash32, Level, Snapshot
from monitor.transactions.sentences import ether, gwei
from monitor.transactions.story import Said, Send, Stage, Story, curl
from monitor.transactions.words import Attempt, State, Transaction

STAGES_MAX, SENDS_MAX, SAID_MAX = 50, 60, 60
"""The newest of each; the API has all."""
RAW_BYTES_MAX = 4096
"""A longer command is nothing to copy from a page; `headwatch tx show` prints it."""
ENDS = {
    State.FINAL_OK: Level.OK,
    State.FINAL_REVERTED: Level.FAILED,
    State.REPLACED_SAME: Level.OK,
    State.CANCELLED: Level.DEGRADED,
    State.REPLACED_OTHER: Level.FAILED,
}
"""How bad an end is: what is closed nobody judges any more."""
KINDS = {
    "observed": "signed by its sender",
    "replace": "a replacement, signed for us",
    "cancel": "a cancellation, signed for us",
    "fill": "a filler, signed for us",
}

SOURCES = {"tap": "came through the tap", "order": "given by a person"}


@dataclass(frozen=True, slots=True)
class StageRow:
    """A state, and why."""

    anchor: str
    at: str
    lasted: str
    level: str
    badge: str
    state: str
    row: str
    """Of the decision table; empty where nobody judged."""
    summary: str
    block: str
    block_hash: str
    evidence: tuple[EvidenceRow, ...]


@dataclass(frozen=True, slots=True)
class AttemptCard:
    """One signed transaction."""

    hash: str
    kind: str
    source: str
    seen: str
    is_consumer: bool
    """It took the nonce, finally."""
    fields: tuple[tuple[str, str], ...]
    curl: str
    note: str
    """Why there is no command; empty where there is one."""


@dataclass(frozen=True, slots=True)
class SendRow:
    """The bytes, sent to one endpoint."""

    at: str
    act: str
    hash: str
    node: str
    reaction: str
    message: str
    took: str


@dataclass(frozen=True, slots=True)
class SaidRow:
    """What an endpoint said of it."""

    at: str
    node: str
    number: str
    said: str


@dataclass(frozen=True, slots=True)
class StoryPage:
    """Everything that the template writes."""

    band: Band
    name: str
    """As it was asked for."""
    title: str
    network: str
    level: str
    badge: str
    state: str
    since: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    attempts: tuple[AttemptCard, ...]
    stages: tuple[StageRow, ...]
    stages_left_out: int
    sends: tuple[SendRow, ...]
    sends_left_out: int
    said: tuple[SaidRow, ...]
    said_left_out: int
    commands: tuple[str, ...]
    """What may be ordered of it."""


def story_page(
    snapshot: Snapshot,
    story: Story,
    *,
    name: str,
    refresh_seconds: int,
    withheld: Sequence[Hash32] = (),
) -> StoryPage:
    """The page of one slot. `withheld`: attempts of which it is not shown what they hold."""
    now, slot = snapshot.at, story.slot
    last = story.stages[-1] if story.stages else None
    level = ENDS.get(slot.state, Level.UNKNOWN)
    if last is not None and last.level is not None:
        level = last.level
    return StoryPage(
        band=band_of(snapshot, path=f"/transactions/{name}", refresh_seconds=refresh_seconds),
        name=name,
        title=f"nonce {slot.nonce} of {story.alias}",
        network=story.network,
        level=level.word,
        badge=BADGES[level],
        state=state_words(slot.state),
        since=clock_time(slot.since, now),
        summary="" if last is None else plain(last.summary),
        facts=tuple(_facts(story, now)),
        attempts=tuple(
            _attempt(story, attempt, now, is_withheld=attempt.hash in withheld)
            for attempt in reversed(slot.attempts)
        ),
        stages=tuple(_stages(story.stages[-STAGES_MAX:], slot.closed_at, now)),
        stages_left_out=max(0, len(story.stages) - STAGES_MAX),
        sends=tuple(_send(send, now) for send in reversed(story.sends[-SENDS_MAX:])),
        sends_left_out=max(0, len(story.sends) - SENDS_MAX),
        said=tuple(_said(said, now) for said in reversed(story.said[-SAID_MAX:])),
        said_left_out=max(0, len(story.said) - SAID_MAX),
        commands=_commands(story),
    )


def _facts(story: Story, now: float) -> Iterator[tuple[str, str]]:
    slot = story.slot
    end = now if slot.closed_at is None else slot.closed_at
    yield "sender", slot.sender
    yield "chain", f"{story.network}, {slot.chain_id}"
    yield "first seen", clock_time(slot.first_seen_at, now)
    if slot.first_seen_number is not None:
        yield "at height", str(slot.first_seen_number)
    age = "took" if slot.closed_at is not None else "age"
    yield age, duration(max(0.0, end - slot.first_seen_at))
    if slot.mined_number is not None:
        yield "in block", str(slot.mined_number)
    if slot.closed_at is not None:
        yield "closed", clock_time(slot.closed_at, now)
    if story.consumer_hash is not None:
        yield "nonce taken by", story.consumer_hash


def _attempt(story: Story, attempt: Attempt, now: float, *, is_withheld: bool) -> AttemptCard:
    raw = story.raw.get(attempt.hash)
    command = note = ""
    if is_withheld:
        note = "Nobody but its own node has been seen with it yet: what it holds is shown to those "
        note += "who may give orders, by `headwatch tx show`."
    elif raw is None:
        note = "Its bytes are not known: only its sender can send it again."
    elif len(raw) > RAW_BYTES_MAX:
        note = f"Its {len(raw):,} bytes are too long for a page: `headwatch tx show` has the "
        note += "command."
    else:
        command = curl(raw)
    fields = () if attempt.transaction is None else tuple(_fields(attempt.transaction))
    return AttemptCard(
        hash=attempt.hash,
        kind=KINDS[attempt.kind],
        source=_source(story.sources.get(attempt.hash, "")),
        seen=clock_time(attempt.first_seen_at, now),
        is_consumer=attempt.hash == story.consumer_hash,
        fields=fields,
        curl=command,
        note=note,
    )


def _source(source: str) -> str:
    """Who showed it first, in words."""
    return SOURCES.get(source, f"shown by {plain(source)}" if source else "")


def _fields(transaction: Transaction) -> Iterator[tuple[str, str]]:
    yield "to", "a new contract" if transaction.to is None else transaction.to
    yield "value", ether(transaction.value_wei)
    yield "fee cap", gwei(transaction.fee_cap_wei)
    yield "tip", gwei(transaction.tip_cap_wei)
    most_wei = transaction.gas * transaction.fee_cap_wei
    yield "gas", f"{transaction.gas:,}, at most {ether(most_wei)}"
    yield "type", str(transaction.type)
    if transaction.blob_fee_cap_wei is not None:
        yield "blobs", f"{transaction.blob_count}, at {gwei(transaction.blob_fee_cap_wei)} at most"
    if transaction.authorizations:
        yield "authorizations", str(transaction.authorizations)
    if transaction.data:
        yield "input", f"{len(transaction.data):,} bytes"


def _stages(stages: Sequence[Stage], closed_at: float | None, now: float) -> Iterator[StageRow]:
    """The newest first; each lasted until the next began."""
    ends = [*(stage.at for stage in stages[1:]), now if closed_at is None else closed_at]
    for number, (stage, end) in reversed(list(enumerate(zip(stages, ends, strict=False)))):
        level = ENDS.get(stage.state) if stage.level is None else stage.level
        is_end = stage.state in ENDS
        yield StageRow(
            anchor=f"stage-{number}",
            at=clock_time(stage.at, now),
            lasted="" if is_end else duration(max(0.0, end - stage.at)),
            level="none" if level is None else level.word,
            badge="new" if level is None else BADGES[level],
            state=state_words(stage.state),
            row=stage.row,
            summary=plain(stage.summary),
            block="" if stage.mined_number is None else str(stage.mined_number),
            block_hash=stage.mined_hash or "",
            evidence=evidence_rows(stage.evidence, now),
        )


def _send(send: Send, now: float) -> SendRow:
    done = send.done_at
    return SendRow(
        at=clock_time(send.intent_at, now),
        act=send.act,
        hash=send.hash,
        node=send.node,
        reaction="no answer is known" if done is None else state_words(send.reaction),
        message=plain(send.message),
        took="" if done is None else duration(max(0.0, done - send.intent_at)),
    )


def _said(said: Said, now: float) -> SaidRow:
    return SaidRow(
        at=clock_time(said.at, now),
        node=said.node,
        number="" if said.number is None else str(said.number),
        said=plain(said.said),
    )


def _commands(story: Story) -> tuple[str, ...]:
    slot = story.slot
    newest = slot.newest
    if slot.closed_at is not None or newest is None:
        return ()
    orders = (
        ("rebroadcast", ""),
        ("propose", ""),
        ("replace", " --dry-run"),
        ("cancel", " --dry-run"),
    )
    return tuple(f"headwatch tx {act} {newest.hash}{more}" for act, more in orders)
