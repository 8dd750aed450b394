"""Getters asked at one block, each answer as its words; what is no such answer ends the reading.

Besu with Bonsai and a node whose head runs ahead of its state answer with zeros, or with nothing,
for a state that they do not have, and call it a success (besu issue 6926, erigon issue 3152). So
every reading begins and ends with a question whose answer is known: the hub's marketplace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from monitor.ledger.abi import Argument, BadWords, Getter, address_of
from monitor.ledger.calls import PACE, Call, Pace, Progress, call_many
from monitor.ledger.errors import CouldNotSee
from monitor.ledger.refusals import Meaning
from monitor.ledger.remedies import NO_STATE, unseen
from monitor.ledger.v1.discovery import Contracts
from monitor.ledger.v1.getters import MARKETPLACE
from monitor.model import Address, BlockStamp
from monitor.rpc.node import Node

Words = tuple[int, ...]


class Question(NamedTuple):
    """One getter of one contract."""

    to: Address
    getter: Getter
    arguments: tuple[Argument, ...] = ()
    may_revert: bool = False

    @property
    def text(self) -> str:
        """For sentences: `checkBalance(0x…) of 0x…`."""
        return f"{self.getter.name}({', '.join(map(str, self.arguments))}) of {self.to}"


class Asking(NamedTuple):
    """Who is asked, of which hub, at which block, and how."""

    node: Node
    contracts: Contracts
    at: BlockStamp
    pace: Pace = PACE
    progress: Progress | None = None

    async def read(self, questions: Sequence[Question]) -> list[Words | None]:
        """The words of each answer, in order; None where a getter reverted that may.

        Of one that may, no bytes are a revert too (geth before 1.9.15). Raises CouldNotSee.
        """
        if not questions:
            return []
        known = Question(self.contracts.hub, MARKETPLACE)
        asked = (known, *questions, known)
        calls = [Call(one.to, one.getter.calldata(*one.arguments)) for one in asked]
        answers = await call_many(self.node, calls, self.at, pace=self.pace, progress=self.progress)
        for answer in (answers[0], answers[-1]):
            self._require_state(answer)
        return [
            self._words(question, answer)
            for question, answer in zip(questions, answers[1:-1], strict=True)
        ]

    async def read_all(self, questions: Sequence[Question]) -> list[Words]:
        """As `read`, of getters that never revert."""
        return [words for words in await self.read(questions) if words is not None]

    def malformed(self, question: Question, why: object) -> CouldNotSee:
        """The failure to understand an answer."""
        detail = f"{self.node.label}: {question.text} at block {self.at.number}: {why}"
        return unseen(Meaning.MALFORMED, detail)

    def _require_state(self, answer: bytes | None) -> None:
        expected = self.contracts.marketplace
        try:
            said = address_of(MARKETPLACE.read(answer or b"")[0])
        except BadWords:
            said = None
        if said != expected:
            detail = (
                f"{self.node.label}: at block {self.at.number} the hub's marketplace is "
                f"{said or 'nothing'}, not {expected}: it does not have the state of that block"
            )
            raise unseen(NO_STATE, detail)

    def _words(self, question: Question, answer: bytes | None) -> Words | None:
        if question.may_revert and not answer:
            return None
        if answer is None:
            detail = f"{self.node.label}: {question.text} at block {self.at.number} reverted"
            raise unseen(Meaning.REVERTED, detail)
        try:
            return question.getter.read(answer)
        except BadWords as error:
            raise self.malformed(question, error) from error
