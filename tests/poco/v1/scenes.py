"""A hub with one pool, driven by hand one step at a time, and replayed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1.books import Watch
from monitor.poco.v1.compare import compare
from monitor.poco.v1.endings import V1, Rules
from monitor.poco.v1.events import Event, Logged
from monitor.poco.v1.facts import OrderFacts
from monitor.poco.v1.laws import check
from monitor.poco.v1.replay import Replay, new_state
from tests.poco.v1.contracts import Chain, Work, address, digest
from tests.poco.v1.world import World, world_of

RICH = 10**6
RIGHT, WRONG = digest("right"), digest("wrong")


def replayed(world: World, *, by: Rules = V1, watch: Watch | None = None) -> Replay:
    """The whole of a history, to its end."""
    replay = Replay(new_state(world.hub), world.facts, watch, by=by)
    for logged in world.logged:
        replay.apply(logged)
    replay.finish()
    return replay


def found(world: World, *, by: Rules = V1) -> list[Difference]:
    """Everything that is wrong with a history: as it came, at its end, and by the laws."""
    replay = replayed(world, by=by)
    stored = compare(replay.state, world.stored)
    return [*replay.differences, *stored, *check(replay.state, world.stored)]


class Scene:
    """Three members of a pool, a scheduler, a requester, each with a million nRLC free."""

    def __init__(self, *, app_price: int = 5, dataset_price: int = 2) -> None:
        self.chain = chain = Chain()
        self.scheduler, self.requester, self.owner = map(
            address, ("scheduler", "requester", "owner")
        )
        self.workers = [address(f"worker {n}") for n in range(3)]
        chain.create_category(300)
        self.app = chain.create_app(self.owner, app_price)
        self.dataset = chain.create_dataset(self.owner, dataset_price)
        self.pool = chain.create_pool(self.scheduler, 10)
        for user in (self.scheduler, self.requester, *self.workers):
            self.send().deposit(user, RICH)
        for worker in self.workers:
            self.send().subscribe(worker, self.pool)

    def send(self) -> Chain:
        """A new transaction in a new block."""
        self.chain.mine()
        self.chain.send()
        return self.chain

    def order(self, value: int = 100, volume: int = 1) -> int:
        facts = OrderFacts(1, value, volume, self.pool, self.scheduler)
        return self.send().create_order(facts)

    def buy(self, value: int = 100) -> Work:
        index = self.order(value)
        return self.send().buy(index, self.requester, self.app, self.dataset)

    def contribute(self, work: Work, worker: Address, *, is_right: bool = True) -> None:
        self.send().allow(work, worker)
        self.send().contribute(work, worker, RIGHT if is_right else WRONG)

    def agree(self, work: Work) -> None:
        self.send().reveal_consensus(work, digest(RIGHT))

    def reveal(self, work: Work, *workers: Address) -> None:
        for worker in workers:
            self.send().reveal(work, worker, RIGHT)

    def revealed(self, value: int = 100, *, wrong: int = 1) -> Work:
        """A work order that can be finalised; so many of the three, the first ones, were wrong."""
        work = self.buy(value)
        for number, worker in enumerate(self.workers):
            self.contribute(work, worker, is_right=number >= wrong)
        self.agree(work)
        self.reveal(work, *self.workers[wrong:])
        return work

    def finalized(self, value: int = 100, *, wrong: int = 1) -> Work:
        work = self.revealed(value, wrong=wrong)
        self.send().finalize(work)
        return work

    def claimed(self, value: int = 100) -> Work:
        """A work order that one worker has contributed to, and that is claimed."""
        work = self.buy(value)
        self.contribute(work, self.workers[0])
        self.chain.mine(work.timeout)
        self.send().claim(work)
        return work

    def emit(self, *events: Event) -> None:
        """Logs that the contracts would not have made, in a transaction of their own."""
        self.send()
        for event in events:
            self.chain.emit(event)

    @property
    def world(self) -> World:
        return world_of(self.chain)

    def replayed(self) -> Replay:
        return replayed(self.world)

    def found(self) -> list[Difference]:
        return self.replayed().differences

    def without(self, *kinds: type) -> list[Logged]:
        """The history without the events of these kinds."""
        return [each for each in self.chain.logged if type(each.event) not in kinds]


def whys(differences: Iterable[Difference]) -> list[str]:
    return [each.why for each in differences]


def run(world: World, logged: Sequence[Logged]) -> Replay:
    """A replay of other logs than the world's own, with its facts."""
    replay = Replay(new_state(world.hub), world.facts)
    for each in logged:
        replay.apply(each)
    replay.finish()
    return replay
