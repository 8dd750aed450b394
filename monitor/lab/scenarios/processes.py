"""The process behind the local node's port: it hangs, it is restarted, it begins empty."""

from __future__ import annotations

from monitor.lab.network import LOCAL, LabNetwork
from monitor.lab.scenarios.row import (
    LOCAL_SUBJECT,
    LOCAL_UNSEEN,
    Scenario,
    finding,
    for_blocks,
    heal_all,
)
from monitor.model import Level

STEADY_BLOCKS = 8
LATE_BLOCKS = 10


async def _stop_process(net: LabNetwork) -> None:
    await net.local.hang_process()


async def _wake_process(net: LabNetwork) -> None:
    # Seen before it has what it missed it is behind, and would be told so.
    await net.revive(LOCAL, catches_up_first=True)
    await heal_all(net)


async def _restart(net: LabNetwork) -> None:
    await net.restart(LOCAL, catches_up_first=True)


async def _join_late(net: LabNetwork) -> None:
    await net.join_late(LOCAL, behind_blocks=LATE_BLOCKS)


PROCESSES: tuple[Scenario, ...] = (
    Scenario(
        name="process-stopped",
        title="the local node's process is stopped (SIGSTOP): connections stand, nothing comes",
        counterpart="a machine that swaps, or a disk that does not answer",
        fault=_stop_process,
        heal=_wake_process,
        findings=frozenset({finding("head", LOCAL_SUBJECT, Level.UNKNOWN)}),
        exit_code=3,
    ),
    Scenario(
        name="restart",
        title="the local node is restarted: its pool and its connections are lost, not its chain",
        counterpart="go-ethereum 2361: all pending transactions lost on the way",
        fault=for_blocks(STEADY_BLOCKS, _restart),
        heal=heal_all,
        findings=frozenset(),
        exit_code=0,
        also=LOCAL_UNSEEN,
    ),
    Scenario(
        name="late-joiner",
        title="an empty node takes the local node's place, and replays the chain while watched",
        counterpart="a new machine, asked for its opinion before it has synchronised",
        fault=_join_late,
        heal=heal_all,
        findings=frozenset({finding("head", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        also=LOCAL_UNSEEN,
        healed_exit_code=0,
    ),
)
