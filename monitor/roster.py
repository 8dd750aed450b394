"""The endpoints of a configuration, and the subscriptions that belong to them.

What did not change in a reload keeps its memory, its budget and its socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import aiohttp

from monitor.checks import Check
from monitor.config import CheckSettings, NodeSettings, ReferenceSettings, Rpc, Settings
from monitor.endpoint import Endpoint
from monitor.rpc.beacon import BeaconNode
from monitor.rpc.budget import Budget
from monitor.rpc.node import Limits, Node
from monitor.rpc.subscription import Subscription
from monitor.url import Url
from monitor.watch import Watch

Known = dict[tuple[str, Url], Endpoint]
"""By label and address."""


class Roster:
    """Makes endpoints, once each, and keeps their subscriptions running."""

    def __init__(self, session: aiohttp.ClientSession, clock: Callable[[], float]) -> None:
        self._session = session
        self._clock = clock
        self._listeners: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """End every subscription."""
        for task in self._listeners.values():
            task.cancel()
        await asyncio.gather(*self._listeners.values(), return_exceptions=True)

    def endpoint(
        self,
        known: Known,
        label: str,
        wanted: NodeSettings | ReferenceSettings,
        settings: Settings,
        calls_a_day: int | None,
    ) -> Endpoint:
        """The endpoint under this label, the known one where its address is the same."""
        kept = known.get((label, wanted.url))
        if kept is None:
            budget = None if calls_a_day is None else Budget(calls_a_day, self._clock)
            node = Node(label, wanted.url, self._session, clock=self._clock, budget=budget)
            kept = Endpoint(node)
        rpc = settings.rpc
        kept.node.limits = Limits(rpc.deadline_seconds, rpc.body_bytes_max, rpc.batch_calls_max)
        if kept.node.budget is not None and calls_a_day is not None:
            kept.node.budget.calls_a_day = calls_a_day
        if isinstance(wanted, ReferenceSettings):
            kept.operator, kept.configured_client = wanted.operator, wanted.client or ""
        else:
            kept.websocket = wanted.websocket
            kept.beacon = self._beacon(kept.beacon, wanted.beacon, rpc)
        return kept

    def _beacon(self, kept: BeaconNode | None, url: Url | None, rpc: Rpc) -> BeaconNode | None:
        """The consensus client at this address, the known one where it is the same."""
        if url is None:
            return None
        beacon = kept if kept is not None and kept.url == url else BeaconNode(url, self._session)
        beacon.deadline_seconds, beacon.body_bytes_max = rpc.deadline_seconds, rpc.body_bytes_max
        return beacon

    def listen(self, endpoint: Endpoint, watch: Watch, on_head: Callable[[Watch], None]) -> None:
        """Start the subscription of a node that has a websocket, once."""
        url = endpoint.websocket
        if endpoint.subscription is not None and endpoint.subscription.url == url:
            endpoint.subscription.on_head = lambda _: on_head(watch)
            return
        task = self._listeners.pop(endpoint.label, None)
        if task is not None:
            task.cancel()
        endpoint.subscription = None
        if url is None:
            return
        endpoint.subscription = Subscription(
            url,
            self._session,
            lambda _: on_head(watch),
            clock=self._clock,
            deaf_seconds=watch.policy.lag_blocks * watch.policy.profile.interval_seconds,
        )
        self._listeners[endpoint.label] = asyncio.create_task(endpoint.subscription.run())

    def forget(self, names: Collection[str]) -> None:
        """End the subscriptions of nodes that are not among these."""
        for name in [name for name in self._listeners if name not in names]:
            self._listeners.pop(name).cancel()


def rows_of(
    checks: Sequence[Check[Any]], configured: dict[str, CheckSettings], *, is_gate: bool = False
) -> tuple[Check[Any], ...]:
    """The optional checks that are made, each at its configured pace; a gate has no hours."""
    rows = []
    for check in checks:
        wanted = configured.get(check.name, CheckSettings())
        if check.required or not wanted.enabled or (is_gate and check.is_slow):
            continue
        every = wanted.every_seconds
        rows.append(check if every is None else replace(check, every_seconds=every))
    return tuple(rows)
