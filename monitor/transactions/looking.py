"""Puts together what one round sees of an account: every endpoint's view, at one moment.

Nothing here decides; who took a nonce is looked up here because it is a question, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from monitor.endpoint import Endpoint
from monitor.judge.finality import final_number
from monitor.judge.quorum import Round, believed_hash
from monitor.model import Hash32, Head, Reference, Unseen
from monitor.rpc.errors import RpcError
from monitor.transactions import autopsy
from monitor.transactions.filing import Filing, Place
from monitor.transactions.sight import Answer, Question, Sight
from monitor.transactions.ward import Ward
from monitor.transactions.words import AccountRound, Consumer, Market, View
from monitor.watch import Watch

log = logging.getLogger("headwatch")

SEARCHED_MAX = 16
"""So many unknown nonces are looked for in blocks in one round of an account."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What one round of a network stands on."""

    watch: Watch
    round: Round
    head: Head | None
    final_number: int | None
    chain_id: int
    references: tuple[Endpoint, ...]
    """Those whose head was admitted."""
    market: Market | Unseen

    @property
    def number(self) -> int | None:
        return None if self.head is None else self.head.number

    @property
    def place(self) -> Place:
        return Place(self.watch.name, self.chain_id, self.number)


def scene_of(watch: Watch, round_: Round, chain_id: int) -> Scene:
    """What this round stands on, its market still to be asked for."""
    reference = round_.reference
    head = reference.head if isinstance(reference, Reference) else None
    admitted = {witness.name for witness in round_.admitted}
    return Scene(
        watch=watch,
        round=round_,
        head=head,
        final_number=final_number(round_, head),
        chain_id=chain_id,
        references=tuple(r for r in watch.references if r.name in admitted),
        market=Unseen("no_quorum", "not asked"),
    )


class Looking:
    """Asks an account's own node and every admitted reference."""

    def __init__(
        self,
        sight: Sight,
        filing: Filing,
        *,
        clock: Callable[[], float],
        is_synced: Callable[[str], bool | None],
        with_known: Callable[[View], View],
    ) -> None:
        """`is_synced`: whether a node, by name, is on the network; None where that is unknown.

        `with_known` adds to a reference's view what it has said to know when it was sent to.
        """
        self._sight = sight
        self._filing = filing
        self._clock = clock
        self._is_synced = is_synced
        self._with_known = with_known

    async def market(self, endpoints: Sequence[Endpoint], need: int) -> Market | Unseen:
        """What inclusion costs now, by a quorum of `need` operators."""
        return await self._sight.market(endpoints, need)

    async def glance(self, ward: Ward, local: Endpoint, scene: Scene) -> None:
        """Between two heads: what is new at the account's own node, which is ours to ask."""
        question = Question(ward.account.address, with_pool=True)
        answer = await self._sight.look(local, question)
        await self._filing.pool(ward, answer.pool, scene.place, local)
        if isinstance(answer.view, View):
            ward.counted(answer.view)

    async def look(self, ward: Ward, local: Endpoint, scene: Scene) -> AccountRound:
        asked = ward.question(
            scene.number, scene.final_number, lambda number: believed_hash(scene.round, number)
        )
        at_local = replace(asked, with_pool=True)
        of_references = replace(asked, with_balance=True)
        answers: Sequence[Answer] = await asyncio.gather(
            self._sight.look(local, at_local),
            *(self._sight.look(r, of_references) for r in scene.references),
        )
        await self._filing.pool(ward, answers[0].pool, scene.place, local)
        if isinstance(answers[0].view, View):
            ward.counted(answers[0].view)
            ward.is_urgent = False
        answers = await self._look_again(ward, local, scene, asked, answers)
        views = [answer.view for answer in answers]
        await self._find_unseen(ward, views[1:], scene)
        await self._find_local(ward, views[0], local, scene)
        return AccountRound(
            at=self._clock(),
            network=scene.watch.name,
            alias=ward.account.alias,
            address=ward.account.address,
            interval_seconds=scene.watch.policy.profile.interval_seconds,
            head=scene.head,
            need=scene.round.need,
            operators=scene.round.operators,
            final_number=scene.final_number,
            references=tuple(
                self._with_known(view) for view in views[1:] if isinstance(view, View)
            ),
            local=views[0],
            local_synced=self._is_synced(local.name),
            local_peers=await self._sight.peers(local.node),
            market=scene.market,
        )

    async def _look_again(
        self,
        ward: Ward,
        local: Endpoint,
        scene: Scene,
        asked: Question,
        answers: Sequence[Answer],
    ) -> Sequence[Answer]:
        """Ask for what the first answers gave cause to, if they did.

        That is receipts of nonces that were used since, of what only the local node has in a block,
        and hashes that the local pool has just shown.
        """
        nonces = [a.view.nonce_latest for a in answers[1:] if isinstance(a.view, View)]
        highest = max((n for n in nonces if isinstance(n, int)), default=0)
        mined = ward.hashes_used_below(highest, asked)
        lowest = next((ward.slots[n] for n in sorted(ward.slots) if n >= highest), None)
        hashes = () if lowest is None else tuple(a.hash for a in lowest.attempts)
        at_local = tuple(h for h in ward.mined_locally(answers[0].view) if h not in asked.mined)
        is_new = bool(mined) or not set(hashes) <= set(asked.hashes)
        if not is_new and not at_local:
            return answers
        question = replace(asked, hashes=hashes, mined=(*asked.mined, *mined))
        of_local = replace(question, mined=(*question.mined, *at_local), with_pool=True)
        of_references = replace(question, with_balance=True)
        again = await asyncio.gather(
            self._sight.look(local, of_local),
            *(self._sight.look(r, of_references) for r in scene.references if is_new),
        )
        return again if is_new else (*again, *answers[1:])

    async def _find_unseen(self, ward: Ward, views: Sequence[View | Unseen], scene: Scene) -> None:
        """File the account's transactions that were mined without having been seen before.

        That is the block scan: only blocks in which the account's count rises are read.
        """
        by_operator: dict[str, int] = {}
        for view in views:
            if isinstance(view, View) and isinstance(view.nonce_latest, int):
                least = by_operator.get(view.operator, view.nonce_latest)
                by_operator[view.operator] = min(least, view.nonce_latest)
        seen = sorted(by_operator.values(), reverse=True)
        if ward.network_nonce is None or scene.head is None or len(seen) < scene.round.need:
            return
        for nonce in _unknown(ward, ward.network_nonce, seen[scene.round.need - 1]):
            found = await self.consumer(ward, nonce, scene)
            if found is None:
                return
            await self._filing.mined(ward, found, scene.place)

    async def _find_local(
        self, ward: Ward, view: View | Unseen, local: Endpoint, scene: Scene
    ) -> None:
        """File what only the account's own node has in a block, before it is gone from there.

        On a private fork a transaction may be mined between two looks at the pool; its bytes are
        rebuilt from the block, which a reorg will take away.
        """
        if isinstance(view, Unseen) or not isinstance(view.nonce_latest, int):
            return
        if ward.network_nonce is None:
            return
        for nonce in _unknown(ward, ward.network_nonce, view.nonce_latest):
            try:
                found = await autopsy.consumer(
                    local.node, ward.account.address, nonce, view.head.number
                )
            except RpcError as error:
                log.info("%s cannot show nonce %d: %s", local.label, nonce, error)
                return
            if found is None:
                return  # Of another chain, or long ago: later ones are no nearer.
            await self._filing.mined(ward, found, scene.place)

    async def consumer(self, ward: Ward, nonce: int, scene: Scene) -> Consumer | None:
        """Who took a nonce, as a quorum of operators says; None where there is none.

        An operator whose endpoints contradict each other has no vote.
        """
        highest = scene.number
        if highest is None:
            return None
        votes: dict[str, Consumer | None] = {}
        for reference in scene.references:
            try:
                found = await autopsy.consumer(reference.node, ward.account.address, nonce, highest)
            except RpcError as error:
                log.info("%s cannot say who took nonce %d: %s", reference.label, nonce, error)
                continue
            if found is None:
                continue
            if believed_hash(scene.round, found.number) not in {None, found.block_hash}:
                continue
            operator = reference.operator or reference.label
            before = votes.setdefault(operator, found)
            if before is not None and _named(before) != _named(found):
                votes[operator] = None
            agreeing = [one for one in votes.values() if one and _named(one) == _named(found)]
            if len(agreeing) >= scene.round.need:
                return found
        return None

    async def was_used(self, ward: Ward, nonce: int, number: int, scene: Scene) -> bool:
        """Whether a quorum of operators says that a nonce was used up to a height.

        Of an operator's endpoints, all that answer.
        """
        votes: dict[str, bool] = {}
        for reference in scene.references:
            try:
                used = await autopsy.count(reference.node, ward.account.address, number)
            except RpcError as error:
                log.info("%s cannot count up to block %d: %s", reference.label, number, error)
                continue
            operator = reference.operator or reference.label
            votes[operator] = votes.get(operator, True) and used > nonce
        return sum(votes.values()) >= scene.round.need


def _named(found: Consumer) -> tuple[Hash32, Hash32]:
    return (found.transaction.hash, found.block_hash)


def _unknown(ward: Ward, first: int, end: int) -> Iterator[int]:
    """The lowest nonces from `first` up to `end` that nothing is known of; a few at a time.

    What an endpoint says how high they go may be anything.
    """
    nonces = (
        nonce
        for nonce in range(first, min(end, first + len(ward.slots) + SEARCHED_MAX))
        if nonce not in ward.slots
    )
    return islice(nonces, SEARCHED_MAX)
