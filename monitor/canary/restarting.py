"""A restart of the candidate, by the operator's own command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monitor.canary.asking import WHOLE, Pair
from monitor.canary.comparison import NOT_ASKED, Comparison, Line
from monitor.model import Head
from monitor.probes.fork import blocks_at
from monitor.rpc import decode
from monitor.rpc.errors import CallTimeout, ConnectionRefused, RpcError, Throttled
from monitor.rpc.node import Node

CHECK = "restart"
LOOK_SECONDS = 0.5
WATCH_SECONDS = 0.02
"""So often it is asked whether the candidate is away: a quick restart is over in tenths of one."""
AWAY_SECONDS = 60.0
"""So long its going is waited for once the command has ended: some only pass the order on."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The candidate after the command: its head, and its block where its head was before."""

    head: Head
    there: Head | None


async def restart(
    pair: Pair,
    command: Sequence[str] | None,
    *,
    deadline_seconds: float,
    clock: Callable[[], float],
) -> Comparison:
    """Run the command, see the candidate go and come back, and compare its head.

    The command is an argument list and no shell's; what it prints is dropped, and it is killed at
    the deadline. A candidate that was never seen away may never have been restarted.
    """
    if command is None:
        said = "not asked for: --restart-command COMMAND says how the candidate is restarted"
        return Comparison(CHECK, "skipped", NOT_ASKED, said)
    before = await _head(pair.candidate)
    if before is None:
        said = "the candidate's head was not seen before the restart"
        return Comparison(CHECK, "unknown", "unseen", said)
    began = clock()
    going = asyncio.create_task(_gone(pair.candidate))
    try:
        trouble = await _run(command, deadline_seconds)
        if trouble:
            return Comparison(CHECK, "fail", "command_failed", f"the command {trouble}")
        ended, patience = clock(), min(AWAY_SECONDS, deadline_seconds)
        while not going.done() and clock() - ended < patience:
            await asyncio.wait({going}, timeout=WATCH_SECONDS)
        was_away = going.done() and going.result()
    finally:
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
    while True:
        seen = await _look(pair.candidate, before)
        is_back = seen is not None and seen.head.number >= before.number
        if is_back or clock() - began >= deadline_seconds:
            break
        await asyncio.sleep(LOOK_SECONDS)
    found = _judged(before, seen, clock() - began)
    if found.outcome != "pass" or was_away:
        return found
    said = f"it was never seen away, from the command until {patience:.0f} s after its end"
    return Comparison(CHECK, "unknown", "never_away", said, found.lines, 1)


async def _gone(node: Node) -> bool:
    """True, once the node gives no answer."""
    while True:
        if not await _is_there(node):
            return True
        await asyncio.sleep(WATCH_SECONDS)


async def _is_there(node: Node) -> bool:
    """Whether it answers anything; one that asks for fewer calls does."""
    try:
        await node.ask("web3_clientVersion", (), WHOLE)
    except RpcError as error:
        return isinstance(error, Throttled) or not isinstance(
            error, ConnectionRefused | CallTimeout
        )
    return True


def _judged(before: Head, seen: _Seen | None, seconds: float) -> Comparison:
    if seen is None:
        said = f"it did not answer again within {seconds:.0f} s"
        return Comparison(CHECK, "fail", "not_back", said, asked=1)
    lines = [Line("head, before and after", str(before.number), str(seen.head.number))]
    if seen.head.number < before.number:
        said = f"its head was {before.number} and is {seen.head.number} after {seconds:.0f} s"
        return Comparison(CHECK, "fail", "head_lost", said, tuple(lines), 1)
    hash_after = seen.there.hash if seen.there is not None else "none"
    if hash_after != before.hash:
        lines.append(Line(f"hash of block {before.number}", before.hash, hash_after))
        said = f"it has another block {before.number} than before"
        return Comparison(CHECK, "fail", "other_chain", said, tuple(lines), 1)
    said = f"its head was {before.number} and is {seen.head.number}, {seconds:.1f} s later"
    return Comparison(CHECK, "pass", "head_kept", said, tuple(lines), 1)


async def _run(command: Sequence[str], deadline_seconds: float) -> str:
    """What went wrong with the command; empty where nothing did."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        return f"could not be started: {error.strerror}"
    try:
        code = await asyncio.wait_for(process.wait(), deadline_seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"had not ended after {deadline_seconds:.0f} s"
    return "" if code == 0 else f"ended with exit code {code}"


async def _look(node: Node, before: Head) -> _Seen | None:
    head = await _head(node)
    if head is None:
        return None
    try:
        found = await blocks_at(node, (before.number,))
    except RpcError:
        return None
    return _Seen(head, found[0] if found else None)


async def _head(node: Node) -> Head | None:
    try:
        header = await node.ask("eth_getBlockByNumber", ("latest", False), decode.header)
    except RpcError:
        return None
    return None if header is None else header.head()
