"""Questions about blocks that both have, put to both: generated ones, and recorded traffic."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from monitor.canary import rules
from monitor.canary.asking import Pair, both
from monitor.canary.comparison import Comparison
from monitor.canary.differences import (
    Answer,
    Difference,
    Mask,
    compare,
    is_breaking,
    persistent,
    unmasked,
)
from monitor.canary.questions import (
    UNPINNED,
    Block,
    Payment,
    Question,
    questions,
    sample_heights,
    settled,
)
from monitor.canary.rules import Tally
from monitor.canary.traffic import Pin, Request, pinned
from monitor.rpc.decode import HexHash, Quantity
from monitor.rpc.errors import RpcError

ROUNDS = 3
"""A difference must show in each: a block in flight or a cold cache shows in one."""
ROUNDS_MAX = 5
"""So many are made where some of them had no answer, which says nothing either way."""
AT_ONCE = 100
"""Questions in hand at one time: what a replay of any length needs of memory."""
ALONE_AT_ONCE = 8
"""The same of those that are asked again."""
SUSPECTS_MAX = 20
"""Questions of one method, and one kind of doubt, that are asked again; more would say little."""
BUSY_BLOCKS = 16
"""So far below the top blocks with transactions are looked for."""
SAMPLE_BLOCKS = 8


class RawPayment(msgspec.Struct, rename={"sender": "from"}, frozen=True):
    """A transaction as a block lists it (execution-apis)."""

    hash: HexHash
    sender: str
    input: str = "0x"
    to: str | None = None


class RawBlock(msgspec.Struct, frozen=True):
    """A block with its transactions (execution-apis, `Block`)."""

    number: Quantity
    hash: HexHash
    transactions: tuple[RawPayment, ...] = ()

    def block(self) -> Block:
        """In our words."""
        payments = tuple(
            Payment(one.hash, one.sender, one.to, one.input) for one in self.transactions
        )
        return Block(int(self.number, 16), self.hash.lower(), payments)


_block: msgspec.json.Decoder[RawBlock | None] = msgspec.json.Decoder(RawBlock | None)


@dataclass(slots=True)
class Suspect:
    """A question that has to be asked again, and what came of each time that tells."""

    question: Question
    seen: list[tuple[Difference, ...]] = field(default_factory=list)
    """How the answers differed, of the rounds in which both gave one."""
    silences: list[tuple[Difference, ...]] = field(default_factory=list)
    """The same of those in which the baseline did, and the candidate did not."""

    def look(self, baseline: Answer, candidate: Answer, mask: Mask) -> None:
        """Note one round; one without the baseline's answer, or the method, tells nothing."""
        if baseline.unseen or baseline.is_absent or candidate.is_absent:
            return
        if candidate.unseen:
            self.silences.append(compare(baseline, candidate))
        elif not self.question.is_pinned:
            self.seen.append(())  # Each answers for itself at its moment: that it does is enough.
        else:
            method = self.question.method
            found = compare(baseline, candidate, lambda result: settled(method, result), mask)
            self.seen.append(found)

    @property
    def is_blind(self) -> bool:
        """Whether no round has told anything."""
        return not self.seen and not self.silences

    @property
    def differs(self) -> tuple[Difference, ...]:
        """What differed in so many rounds as are needed."""
        if len(self.seen) >= ROUNDS:
            return persistent(self.seen)
        return self.silences[-1] if len(self.silences) >= ROUNDS else ()

    @property
    def is_open(self) -> bool:
        """Whether nobody can say yet: it has not differed often enough, and never been alike."""
        is_alike = bool(self.seen) and not persistent(self.seen)
        return not is_alike and not self.differs


Doubt = Literal["blind", "breaking", "added"]
"""The baseline did not answer; the candidate lacks something; it only says more."""


@dataclass(slots=True)
class Book:
    """What was asked so far and what came of it; of a size that does not grow with the asking."""

    mask: Mask = unmasked
    tallies: dict[str, Tally] = field(default_factory=dict)
    suspects: dict[tuple[str, Doubt], list[Suspect]] = field(default_factory=dict)
    served: set[str] = field(default_factory=set)
    gone: dict[str, tuple[Question, str]] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)
    specimens: dict[str, Question] = field(default_factory=dict)
    """One question of each method that both answered: what latency is measured with."""
    recorded: dict[str, None] = field(default_factory=dict)
    """The methods of the recorded traffic, in the order in which they were met."""
    asked: int = 0

    @property
    def worth_timing(self) -> tuple[Question, ...]:
        """The specimens, those of methods that somebody uses first."""
        others = (method for method in self.specimens if method not in self.recorded)
        methods = (*self.recorded, *others)
        return tuple(self.specimens[method] for method in methods if method in self.specimens)

    def note(self, question: Question, baseline: Answer, candidate: Answer) -> None:
        """Count one answered question, and keep what needs to be asked again."""
        method = question.method
        self.asked += 1
        if not baseline.is_absent and not baseline.unseen:
            self.served.add(method)
            if candidate.is_absent:
                self.gone.setdefault(method, (question, f"error {candidate.code}"))
        is_silent = bool(candidate.unseen) and not baseline.unseen
        if not question.is_pinned and not is_silent:
            return
        if baseline.result is not None and candidate.result is not None:
            self.specimens.setdefault(method, question)
        tally = self.tallies.setdefault(method, Tally())
        if baseline.is_absent or candidate.is_absent:
            return
        tally.asked += 1
        suspect = Suspect(question)
        suspect.look(baseline, candidate, self.mask)
        if suspect.is_open:
            self._keep(suspect, tally)

    def _keep(self, suspect: Suspect, tally: Tally) -> None:
        (found,) = (suspect.seen + suspect.silences) or ((),)
        doubt: Doubt = "breaking" if is_breaking(found) else "added" if found else "blind"
        kept = self.suspects.setdefault((suspect.question.method, doubt), [])
        if len(kept) < SUSPECTS_MAX:
            kept.append(suspect)
        elif doubt == "blind":
            tally.unseen += 1
        elif doubt == "added":
            tally.more_added += 1
        else:
            tally.more += 1

    def settle(self) -> None:
        """Count what came of the suspects."""
        for suspect in itertools.chain.from_iterable(self.suspects.values()):
            tally = self.tallies[suspect.question.method]
            if suspect.differs:
                tally.found.append((suspect.question.words, suspect.differs))
            elif suspect.is_blind:
                tally.unseen += 1
            else:
                tally.open += suspect.is_open


async def blocks(pair: Pair, pin: Pin) -> tuple[Block, ...]:
    """A sample of the blocks up to the pin, as the baseline has them. Raises RpcError.

    Of the newest, those with the most transactions; and ever older ones down to genesis.
    """
    near = range(max(0, pin.number - BUSY_BLOCKS + 1), pin.number + 1)
    heights = dict.fromkeys((*sample_heights(pin.number, SAMPLE_BLOCKS), *near))
    read = await asyncio.gather(
        *(
            pair.baseline.ask("eth_getBlockByNumber", (hex(height), True), _block)
            for height in heights
        )
    )
    found = {one.number: one for raw in read if raw is not None for one in (raw.block(),)}
    busy = sorted(
        (found[height] for height in near if height in found),
        key=lambda one: (-len(one.payments), -one.number),
    )
    spread = [found[h] for h in sample_heights(pin.number, SAMPLE_BLOCKS) if h in found]
    chosen = {one.number: one for one in (*busy[: SAMPLE_BLOCKS // 2], *spread)}
    return tuple(sorted(chosen.values(), key=lambda one: -one.number))


async def put(pair: Pair, asked: Iterable[Question], book: Book) -> None:
    """Put questions to both, so many at once, and note what came of it."""
    for chunk in _chunks(asked):
        for question, said in zip(chunk, await both(pair, chunk), strict=True):
            book.note(question, *said)


async def replay(pair: Pair, traffic: Iterable[Request], pin: Pin, book: Book) -> None:
    """Put recorded requests to both as they are read. Raises TrafficError at a line that is none.

    What is not put is counted by its reason.
    """

    def wanted() -> Iterator[Question]:
        for request in traffic:
            question = pinned(request, pin)
            if isinstance(question, Question):
                book.recorded.setdefault(question.method)
                yield question
            else:
                book.passed_over[question] += 1

    await put(pair, wanted(), book)


def _chunks(asked: Iterable[Question], size: int = AT_ONCE) -> Iterator[list[Question]]:
    waiting = iter(asked)
    while chunk := list(itertools.islice(waiting, size)):
        yield chunk


async def examine(
    pair: Pair, pin: Pin, traffic: Iterable[Request], *, pause_seconds: float
) -> tuple[Book, tuple[Comparison, ...]]:
    """Ask all there is to ask; `methods` and `answers` come of it. Raises TrafficError."""
    book = Book(pair.masked)
    try:
        sample = await blocks(pair, pin)
    except RpcError as error:
        said = f"the baseline's blocks could not be read: {error}"
        return book, tuple(
            Comparison(check, "unknown", "unseen", said) for check in ("methods", "answers")
        )
    await put(pair, itertools.chain(UNPINNED, questions(sample, pin.number)), book)
    await replay(pair, traffic, pin, book)
    await _again(pair, book, pause_seconds)
    gone = {method: words for method, (_, words) in book.gone.items()}
    return book, (
        *rules.methods(gone, len(book.served), book.asked),
        *rules.answers(book.tallies, book.passed_over),
    )


async def _again(pair: Pair, book: Book, pause_seconds: float) -> None:
    """Ask again until what differed or was gone has been so in every round, or once was not."""
    for turn in range(ROUNDS_MAX - 1):
        suspects = itertools.chain.from_iterable(book.suspects.values())
        # A baseline that gives no answer to a call alone either is not asked a third time.
        waiting = [one for one in suspects if one.is_open and not (turn and one.is_blind)]
        lost = list(book.gone.items()) if turn < ROUNDS - 1 else []
        if not waiting and not lost:
            break
        await asyncio.sleep(pause_seconds)
        said = await _said(pair, [one.question for one in waiting])
        for one, answers in zip(waiting, said, strict=True):
            one.look(*answers, book.mask)
        said = await _said(pair, [question for _, (question, _) in lost])
        for (method, _), (_, candidate) in zip(lost, said, strict=True):
            if not candidate.is_absent and not candidate.unseen:
                del book.gone[method]
    book.settle()


async def _said(pair: Pair, asked: Sequence[Question]) -> list[tuple[Answer, Answer]]:
    """Answers to calls that travel alone: in a batch one that hangs takes the others with it."""
    said = []
    for chunk in _chunks(asked, ALONE_AT_ONCE):
        said += await both(pair, chunk, is_alone=True)
    return said
