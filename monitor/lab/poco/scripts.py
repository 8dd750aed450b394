"""Scripts that play at once on one chain: each says what it wants in the next block.

A script is a generator. It yields a `Step`, is resumed with the receipts once the step is in a
block, and then says its next. Which block holds what follows from the seed alone.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from monitor.lab.errors import LabError
from monitor.lab.poco.blocks import Blocks, Receipt, Tx

SECONDS_MIN = 10
SECONDS_MAX = 45
"""Between two blocks, where no script waits for a moment in between."""


class Step(NamedTuple):
    """What a script wants to be in one block, in this order; nothing means a block's patience."""

    transactions: Sequence[Tx] = ()
    at: int | None = None
    """The timestamp of that block, to the second; None is the next block."""


Script: TypeAlias = Generator[Step, Sequence[Receipt], None]


@dataclass(slots=True)
class _Playing:
    script: Script
    step: Step
    is_queued: bool

    @property
    def takes_a_place(self) -> bool:
        """Whoever only waits for a moment keeps nobody else from beginning."""
        return self.is_queued and self.step.at is None


class Play:
    """Plays scripts until all have ended: so many of a queue at once, and any number beside it."""

    def __init__(self, blocks: Blocks, rng: random.Random, *, width: int) -> None:
        self.queue: deque[Script] = deque()
        """Begin as others of the queue end; a script may add to it."""
        self.seen: list[Callable[[Sequence[Receipt]], None]] = []
        """Told of every block's receipts, before the scripts are."""
        self._blocks = blocks
        self._rng = rng
        self._width = width
        self._playing: list[_Playing] = []

    async def run(self, scripts: Iterable[Script] = ()) -> None:
        """Play these beside the queue, all of it, to their ends."""
        for script in scripts:
            self.begin(script)
        self._fill()
        while self._playing:
            await self._block()
            self._fill()

    def begin(self, script: Script, *, is_queued: bool = False) -> None:
        """Play this one from the next block on; a script may begin others."""
        step = next(script, None)
        if step is not None:
            self._playing.append(_Playing(script, step, is_queued))

    def _fill(self) -> None:
        while self.queue and sum(one.takes_a_place for one in self._playing) < self._width:
            self.begin(self.queue.popleft(), is_queued=True)

    async def _block(self) -> None:
        timestamp = self._moment()
        due = [one for one in self._playing if one.step.at in {None, timestamp}]
        order = [index for index, one in enumerate(due) for _ in one.step.transactions]
        self._rng.shuffle(order)
        queues = [deque(one.step.transactions) for one in due]
        receipts = await self._blocks.mine(
            [queues[index].popleft() for index in order],
            seconds=timestamp - self._blocks.timestamp,
        )
        for told in self.seen:
            told(receipts)
        for number, one in enumerate(due):
            mine = [
                receipt for index, receipt in zip(order, receipts, strict=True) if index == number
            ]
            try:
                one.step = one.script.send(mine)
            except StopIteration:
                self._playing.remove(one)

    def _moment(self) -> int:
        """The next block's timestamp: a little later, or the first moment somebody waits for."""
        now = self._blocks.timestamp
        moments = [one.step.at for one in self._playing if one.step.at is not None]
        if any(moment <= now for moment in moments):
            message = f"a script waits for {min(moments)}, and it is {now} already"
            raise LabError(message)
        if len(moments) < len(self._playing):
            moments.append(now + self._rng.randint(SECONDS_MIN, SECONDS_MAX))
        return min(moments)
