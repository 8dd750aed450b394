"""A process that tells a journal of payments without end, and says what the journal has answered.

    python -m tests.transactions.journal.stream PATH LIMIT_BYTES

One line for each call, written when it has returned; a kill cuts no line in two. With a limit no
file of its may become longer, until 20 calls were refused; then it is lifted, 20 payments are told
to their end, and the process ends.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import sys
from pathlib import Path

from monitor.transactions.journal import Journal, JournalError
from monitor.transactions.words import State
from tests.transactions.journal.samples import (
    BLOCK,
    NETWORK,
    NOW,
    change,
    raw_of,
    sighting,
    transaction,
)

CALLERS = 8
REFUSALS = 20


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def payment(journal: Journal, nonce: int) -> None:
    """One payment from its arrival to its end, with a replacement."""
    of, other = transaction(nonce), transaction(nonce, tip_cap_wei=2)
    await journal.arrive(raw_of(of), of.hash, source="tap", at=NOW)
    say("arrived", of.hash)
    slot = await journal.observe(sighting(nonce), NOW)
    say("observed", of.hash)
    action = await journal.intend(of.hash, "ref", "rebroadcast", NOW)
    say("intended", action)
    await journal.entered([change(slot.id)])
    say("entered", slot.id)
    await journal.conclude(action, "known", "already known", NOW)
    say("concluded", action)
    lease = await journal.lease(slot.id, "replace", NOW)
    await journal.signed(lease, raw_of(other), other, NOW, number=100)
    say("signed", other.hash)
    await journal.beat(NETWORK, nonce, NOW)
    await journal.close_slot(
        slot.id,
        State.FINAL_OK,
        consumer_hash=other.hash,
        number=101,
        block_hash=BLOCK,
        summary="final",
        at=NOW,
    )
    say("closed", slot.id)


async def main(path: Path, limit_bytes: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    journal = Journal(path)
    await journal.open()
    nonces = itertools.count(journal.epoch * 1_000_000)
    refusals = 0

    async def caller() -> None:
        nonlocal refusals
        while refusals < REFUSALS:
            try:
                await payment(journal, next(nonces))
            except JournalError as error:
                refusals += 1
                say("refused", error)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await asyncio.gather(*(payment(journal, next(nonces)) for _ in range(20)))
    await journal.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
