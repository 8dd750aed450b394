"""From the observation that completes a rule to the open finding, without any network.

And from the fault to the finding, in simulated time, on every chain: `delays`.

Two hundred nodes follow a chain, one of them stands still. What is timed is the round in which
the stall opens: the election, every judge of every node, and the fold. The peer does less: web3.py
turns the heads of the same nodes, which are already JSON objects in memory, into its blocks.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from benchmarks import delays
from benchmarks.contestants import settings_of
from benchmarks.report import Result, Row, Say, Sizes, Target, median_ratio, p99
from monitor.endpoint import NEWEST_COUNT, Endpoint, append
from monitor.judge.quorum import Round, Witness, hold_round
from monitor.judge.seen import ForkSeen, HeadSeen, IdentitySeen, chain_of
from monitor.judge.verdict import fold
from monitor.model import BlockNumber, Hash32, Head, Level, Observation
from monitor.sidecar import Sidecar
from monitor.watch import Watch

if TYPE_CHECKING:
    from web3.types import RPCEndpoint, RPCResponse

NODES = 200
WARM_ROUNDS = 60
ROUNDS_MAX = 20
PASSES_A_REPEAT = 10
TARGET_MS = 50
BEGAN = 1_795_000_000.0
FIRST = 21_000_000
BLOCK_SECONDS = 2


class World:
    """A sidecar whose endpoints have written down what a script says, at a clock of its own."""

    def __init__(self, sidecar: Sidecar, watch: Watch) -> None:
        self.sidecar = sidecar
        self.watch = watch
        self.now = BEGAN
        self.number = FIRST

    def observe(self, *, stalled: str = "") -> None:
        """One second later, everybody has been asked; every second time there is a new block."""
        self.now += 1
        self.number = FIRST + int(self.now - BEGAN) // BLOCK_SECONDS
        for endpoint in self.watch.endpoints:
            self._answer(endpoint, stands=endpoint.label == stalled)

    def judge(self) -> tuple[list[Any], Round]:
        """The election and every judge's findings."""
        witnesses = tuple(
            Witness(
                name=reference.name,
                operator=reference.operator,
                client="geth",
                head=reference.heads[-1],
                identity=reference.identities[-1],
                chain=chain_of(reference.heads, (), reference.known),
            )
            for reference in self.watch.references
        )
        watch = self.watch
        context = hold_round(watch.name, witnesses, watch.policy, self.now, watch.trail)
        return self.sidecar.judge(watch, context), context

    def round(self) -> bool:
        """Judge and fold; whether the stall of a node has opened."""
        findings, context = self.judge()
        self.watch.trail = context.trail[-40:]
        actions = self.sidecar.fold(findings)
        return any(a.key[0] == "stall" and a.finding.level == Level.FAILED for a in actions)

    def _answer(self, endpoint: Endpoint, *, stands: bool) -> None:
        before = endpoint.newest_head
        seen = HeadSeen(before if stands and before else _head(self.number), None)
        endpoint.remember_head(Observation(endpoint.label, "head", self.now, 0.01, seen))
        who = IdentitySeen(31337, _head(0).hash, "Geth/v1.16.2")
        append(
            endpoint.identities,
            Observation(endpoint.label, "identity", self.now, 0.01, who),
            NEWEST_COUNT,
        )
        fork = ForkSeen(seen, chain_of(endpoint.heads), None, "geth")
        append(
            endpoint.forks, Observation(endpoint.label, "fork", self.now, 0.01, fork), NEWEST_COUNT
        )


def _head(number: int) -> Head:
    return Head(
        number=BlockNumber(number),
        hash=Hash32(f"0xb1{number:062x}"),
        parent_hash=Hash32(f"0xb1{max(0, number - 1):062x}"),
        timestamp=int(BEGAN) - (FIRST - number) * BLOCK_SECONDS,
    )


async def run(sizes: Sizes, say: Say) -> list[Result]:
    """Bring the stall to where the next observation completes it, then time that round again."""
    say("detection")
    logging.getLogger("headwatch").setLevel(logging.ERROR)  # two nodes will be said to be bad
    nodes = NODES if sizes.repeats > 1 else 3
    holder: list[World] = []
    settings = settings_of([f"http://127.0.0.1:9/{index}" for index in range(3 + nodes)])
    sidecar = Sidecar(settings, clock=lambda: holder[0].now if holder else BEGAN)
    async with sidecar:
        (watch,) = sidecar.watches.values()
        world = World(sidecar, watch)
        holder.append(world)
        for _ in range(WARM_ROUNDS):
            world.observe()
            world.round()
        for _ in range(ROUNDS_MAX):
            world.observe(stalled=watch.nodes[0].label)
            memory = sidecar.memory
            if world.round():
                break
        else:
            message = "the stall did not open"
            raise RuntimeError(message)

        async def opens() -> None:
            findings, _ = world.judge()
            fold(memory, tuple(findings), world.now)

        return [await _measure(sizes, nodes, opens), *delays.measured(sizes, say)]


async def _measure(sizes: Sizes, nodes: int, opens: Callable[[], Awaitable[None]]) -> Result:
    decodes = _web3_heads(nodes)
    ours: list[float] = []
    theirs: list[float] = []
    walls: list[float] = []
    for _ in range(max(1, int(sizes.repeats * PASSES_A_REPEAT * sizes.scale))):
        theirs.append((await _spent(decodes))[0])
        cpu, wall = await _spent(opens)
        ours.append(cpu)
        walls.append(wall)
    title = f"detection: the round in which a stall opens, {nodes} nodes"
    peer = f"web3.py, {nodes} heads from objects to its blocks"
    rows = (
        Row(peer, {"CPU ms": statistics.median(theirs), "× less": 1.0}),
        Row(
            "election, judges and fold",
            {
                "CPU ms": statistics.median(ours),
                "× less": median_ratio(theirs, ours),
                "wall ms": statistics.median(walls),
                "wall ms, p99": p99(walls),
            },
        ),
    )
    wall = statistics.median(walls)
    what = "completing observation to open finding, wall"
    target = Target(what, f"<= {TARGET_MS} ms", f"{wall:.1f} ms", wall <= TARGET_MS)
    return Result(title, rows, "", (target,))


async def _spent(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    began, cpu_began = time.perf_counter(), time.process_time()
    await work()
    cpu = time.process_time() - cpu_began
    return 1000 * cpu, 1000 * (time.perf_counter() - began)


def _web3_heads(nodes: int) -> Callable[[], Awaitable[None]]:
    from web3 import AsyncWeb3
    from web3.providers.async_base import AsyncBaseProvider

    from benchmarks.answerer import FIRST_HEAD, Chain

    block = Chain(0, int(time.time())).fields(FIRST_HEAD)

    class Canned(AsyncBaseProvider):
        """Answers from memory."""

        async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
            del method, params
            return {"jsonrpc": "2.0", "id": 1, "result": block}

    web3 = AsyncWeb3(Canned())

    async def decodes() -> None:
        for _ in range(nodes):
            await web3.eth.get_block("latest")

    return decodes
