"""The checks of the way to it: calls, subscriptions, clocks."""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check
from monitor.judge import clock, rpc, subscription
from monitor.judge.clock import ClockSeen
from monitor.judge.rpc import RpcSeen
from monitor.judge.subscription import SubscriptionSeen
from monitor.probes import clock as clock_probe
from monitor.probes import rpc as rpc_probe
from monitor.probes import subscription as subscription_probe

RPC: Check[RpcSeen] = Check(
    name="rpc",
    title="The node's answers come, and come in time",
    why="A node that fails, throttles or delays every other call does the same to the programs "
    "that use it, while its head looks well.",
    remedy="Look at the plan of its provider, at its load, and at what stands between it and you.",
    runbook="checks.md#rpc",
    scopes=("node",),
    asks="rpc",
    methods=(),
    probe=rpc_probe.probe,
    judge=rpc.judge,
)
SUBSCRIPTION: Check[SubscriptionSeen] = Check(
    name="subscription",
    title="The node's websocket tells of every head",
    why="Sockets go deaf without closing: programs that wait for heads on one wait for ever.",
    remedy="Look at the proxy in front of the websocket and at its limits of idle time; restart "
    "the client's websocket server.",
    runbook="checks.md#subscription",
    scopes=("node",),
    asks="subscription",
    methods=(),
    probe=subscription_probe.probe,
    judge=subscription.judge,
    needs="websocket",
)
CLOCK: Check[ClockSeen] = Check(
    name="clock",
    title="The clocks run together",
    why="A host whose clock is off loses its peers and its attestations; with our own off, every "
    "age and every lag in seconds is wrong.",
    remedy="Look at the time synchronisation of the host that is named: chrony, or "
    "systemd-timesyncd.",
    runbook="checks.md#clock",
    scopes=("node", "quorum"),
    asks="clock",
    methods=(),
    probe=clock_probe.probe,
    judge=clock.judge,
)

TRANSPORT_CHECKS: tuple[Check[Any], ...] = (RPC, SUBSCRIPTION, CLOCK)
