"""The effects that the contracts emitted for one end, against those that its rules give.

`Reward`, `Seize`, `AccurateContribution` and `FaultyContribution` come before the event that names
the work order's end; they are compared one by one, in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple, TypeAlias

from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1.endings import Step
from monitor.poco.v1.events import (
    AccurateContribution,
    FaultyContribution,
    Logged,
    Reward,
    Seize,
)

EffectEvent: TypeAlias = Reward | Seize | AccurateContribution | FaultyContribution
PAYING = Reward, Seize
EMITTED = {
    "reward": "Reward",
    "seize": "Seize",
    "proved": "AccurateContribution",
    "faulty": "FaultyContribution",
}
"""The event of each act that has one."""


class Effect(NamedTuple):
    """One effect, emitted or to be expected."""

    name: str
    account: Address
    task: Address | None
    """The work order that a score's event names; the others name none."""
    amount: int | None
    """nRLC; None where a score is what changed."""

    @property
    def value(self) -> int | str:
        """What stands in a difference: the amount, or the name of the event without one."""
        return self.name if self.amount is None else self.amount

    @property
    def words(self) -> str:
        if self.amount is None:
            return f"{self.name} of {self.account} in {self.task}"
        return f"{self.name} of {self.amount} nRLC for {self.account}"


class Emitted(NamedTuple):
    """An effect and where it stands."""

    at: Logged
    effect: Effect


def effect_of(event: EffectEvent) -> Effect:
    """What an event says."""
    name = type(event).__name__
    if isinstance(event, PAYING):
        return Effect(name, event.user, None, event.amount)
    return Effect(name, event.worker, event.woid, None)


def expected(steps: Sequence[Step], woid: Address) -> list[Effect]:
    """The effects that the steps emit."""
    return [
        Effect(EMITTED[act], account, None, amount)
        if act in ("reward", "seize")
        else Effect(EMITTED[act], account, woid, None)
        for act, account, amount, _ in steps
        if act in EMITTED
    ]


def compare(
    wanted: Sequence[Effect], emitted: Sequence[Emitted], end: Logged, woid: Address
) -> Iterator[Difference]:
    """Every difference, with its place: wrong amounts, missing, additional, out of order.

    What was not emitted at all is placed at the event that closes the end.
    """
    said = [one.effect for one in emitted]
    if wanted == said:
        return
    if Counter(wanted) == Counter(said):
        for number, (want, one) in enumerate(zip(wanted, emitted, strict=True), start=1):
            if want != one.effect:
                yield _out_of_order(want, one, number, woid)
        return
    # Elements are paired by what and whose they are; the amount of a pair is what can be wrong.
    keys = [effect[:3] for effect in wanted], [effect[:3] for effect in said]
    for tag, i, i_end, j, j_end in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        if tag == "equal":
            for want, one in zip(wanted[i:i_end], emitted[j:j_end], strict=True):
                if want != one.effect:
                    yield _wrong_amount(want, one, woid)
        else:
            yield from (_missing(want, end, woid) for want in wanted[i:i_end])
            yield from (_additional(one, woid) for one in emitted[j:j_end])


def leftover(emitted: Sequence[Emitted]) -> Iterator[Difference]:
    """Effects that no end of a work order explains."""
    for one in emitted:
        yield _found(one, f"{one.effect.words} is followed by no end of a work order", None)


def _out_of_order(want: Effect, one: Emitted, number: int, woid: Address) -> Difference:
    return Difference(
        kind="effect",
        why=f"effect {number} of the end is a {one.effect.words}, and by the rules its place is "
        f"that of a {want.words}",
        account=one.effect.account,
        task=woid,
        predicted=want.words,
        logged=one.effect.words,
        block=one.at.block,
        transaction=one.at.transaction,
        log_index=one.at.log_index,
    )


def _wrong_amount(want: Effect, one: Emitted, woid: Address) -> Difference:
    said, by_rule = one.effect.amount or 0, want.amount or 0
    return Difference(
        kind="effect",
        why=f"{one.effect.words}, and by the rules it is {by_rule} nRLC",
        account=want.account,
        task=woid,
        predicted=by_rule,
        logged=said,
        delta=said - by_rule,
        block=one.at.block,
        transaction=one.at.transaction,
        log_index=one.at.log_index,
    )


def _missing(want: Effect, end: Logged, woid: Address) -> Difference:
    return Difference(
        kind="effect",
        why=f"by the rules there is a {want.words}, and none was emitted",
        account=want.account,
        task=woid,
        predicted=want.value,
        delta=None if want.amount is None else -want.amount,
        block=end.block,
        transaction=end.transaction,
        log_index=end.log_index,
    )


def _additional(one: Emitted, woid: Address) -> Difference:
    return _found(one, f"{one.effect.words} was emitted, and by the rules there is none", woid)


def _found(one: Emitted, why: str, woid: Address | None) -> Difference:
    return Difference(
        kind="effect",
        why=why,
        account=one.effect.account,
        task=woid if woid is not None else one.effect.task,
        logged=one.effect.value,
        delta=one.effect.amount,
        block=one.at.block,
        transaction=one.at.transaction,
        log_index=one.at.log_index,
    )
