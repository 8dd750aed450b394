"""A scenario, run for real: fault in, findings opened, heal, findings closed.

The real loop watches a real lab network over HTTP; the gate is asked while the fault is in force.
What opened and what closed is read from the loop's own actions.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from monitor.config import (
    Account,
    CheckSettings,
    Network,
    NodeSettings,
    ProfileRef,
    ReferenceSettings,
    Rpc,
    Settings,
    Tap,
    Transactions,
    show,
)
from monitor.guarding import guarding, tapping
from monitor.judge.profiles import PROFILES
from monitor.judge.verdict import Memory
from monitor.lab.errors import LabError
from monitor.lab.events import Event, What
from monitor.lab.network import LOCAL, LabNetwork
from monitor.lab.pace import Pace, pace_of, speed_max
from monitor.lab.payments import PAYER, mined, pay, signed_payments
from monitor.lab.report import Report
from monitor.lab.scenarios import NETWORK, PAYER_ALIAS, Scenario
from monitor.model import Action, Key, Level
from monitor.run import Loop
from monitor.sidecar import Sidecar
from monitor.url import Url

INTERVAL_SECONDS = 0.25
DEADLINE_SECONDS = 1.0
"""Of one RPC call: short, so that hanging nodes do not make a scenario long."""
PHASE_BLOCKS_MAX = 120
"""How many blocks of time a phase may take before the scenario has failed."""
HEALTHY_BLOCKS = 10
AFTER_BLOCKS = 6
"""Blocks that are watched on after everything expected was seen: nothing more may open."""
GATE_SECONDS_MAX = 120.0
FREE_CALLS_A_DAY = 1_000_000_000
"""A reference of the lab costs nothing: what a budget would spare is no fault to be found."""


def lab_settings(
    net: LabNetwork,
    interval_seconds: float,
    clients: Sequence[str] = (),
    deadline_seconds: float = DEADLINE_SECONDS,
    listen: str | None = None,
    *,
    data_dir: Path | None = None,
) -> Settings:
    """The configuration of a lab network, as a user would write it for real nodes.

    The interval is a development chain's; one that is rehearsed has that of its profile. With a
    directory for its journal the payer's transactions are watched, and there is a tap.
    """
    families = [*clients, *[""] * len(net.reference)]
    references = tuple(
        ReferenceSettings(
            name=name,
            url=Url(node.url),
            operator=f"operator-{name}",
            client=family or None,
            calls_a_day=FREE_CALLS_A_DAY if net.rehearsed else None,
        )
        for (name, node), family in zip(net.reference.items(), families, strict=False)
    )
    profile = net.rehearsed or ProfileRef(profile="dev", interval_seconds=interval_seconds)
    more: dict[str, object] = {} if listen is None else {"http": {"listen": listen}}
    # A chain of a minute says nothing of its pace, whichever it plays.
    more["checks"] = {"profile": CheckSettings(enabled=False)}
    if data_dir is not None:
        account = Account(alias=PAYER_ALIAS, address=PAYER, network=NETWORK, node=LOCAL)
        tap = Tap(listen="127.0.0.1:0", node=LOCAL)
        more["transactions"] = Transactions(accounts=(account,), tap=tap)
        more["data_dir"] = data_dir
    return Settings(
        rpc=Rpc(deadline_seconds=deadline_seconds),
        networks={NETWORK: Network(profile=profile, references=references)},
        nodes=(
            NodeSettings(
                name=LOCAL, network=NETWORK, url=Url(net.local.url), websocket=Url(net.local.ws_url)
            ),
        ),
        **more,  # type: ignore[arg-type]
    )


class Watched:
    """A lab network under the eyes of the real loop, with its timeline."""

    def __init__(
        self, net: LabNetwork, sidecar: Sidecar, on_event: Callable[[Event], None]
    ) -> None:
        self.net = net
        self.sidecar = sidecar
        self.events: list[Event] = []
        self.tap: str | None = None
        """Where programs send their transactions, in a scenario that has any."""
        self._on_event = on_event
        self._began = time.monotonic()
        self._changed = asyncio.Event()
        sidecar.listeners.append(self._acted)

    @property
    def passed_seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    def note(self, what: What, text: str, action: Action | None = None) -> None:
        """Write one line into the timeline."""
        finding = action.finding if action is not None else None
        if finding is None:
            self.tell(what, text)
        else:
            self.tell(what, text, finding.key, finding.level, finding.because)

    def tell(
        self,
        what: What,
        text: str,
        key: Key | None = None,
        level: Level | None = None,
        because: Key | None = None,
    ) -> None:
        """Write one line into the timeline, of what was found where `key` says of what."""
        event = Event(
            seconds=self.passed_seconds,
            block=self.net.leader_number,
            what=what,
            text=text,
            key=key,
            level=level,
            because=because,
        )
        self.events.append(event)
        self._on_event(event)

    def _acted(self, actions: Sequence[Action]) -> None:
        for action in actions:
            self.note(action.kind, action.finding.summary, action)
        self._changed.set()

    async def until(self, condition: Callable[[Memory], bool], interval_seconds: float) -> bool:
        """Wait until the state fulfils a condition; False when its time is over."""
        try:
            seconds = PHASE_BLOCKS_MAX * interval_seconds + self.net.pace.patience_seconds
            async with asyncio.timeout(seconds):
                while not condition(self.sidecar.memory):
                    self._changed.clear()
                    # Not every change is an edge: look again at the pace of the blocks as well.
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._changed.wait(), interval_seconds)
        except TimeoutError:
            return False
        return True


@contextlib.asynccontextmanager
async def watched(
    net: LabNetwork, settings: Settings, on_event: Callable[[Event], None]
) -> AsyncIterator[tuple[Watched, Loop]]:
    """The real loop on a lab network, for as long as the context is open."""
    async with Sidecar(settings) as sidecar, guarding(sidecar, settings.data_dir) as watchdog:
        loop = Loop(sidecar)
        loop.guard(watchdog)
        view = Watched(net, sidecar, on_event)
        async with tapping(watchdog) as tap:
            view.tap = tap
            loop.start()
            try:
                yield view, loop
            finally:
                await loop.stop()


def is_healthy(memory: Memory) -> bool:
    """Whether everything is judged and everything is well."""
    return bool(memory) and all(
        held.settled and held.finding.level == Level.OK for held in memory.values()
    )


async def run_scenario(
    scenario: Scenario,
    *,
    seed: int = 0,
    pace: Pace | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
) -> Report:
    """Run one row of the table on real nodes, by default at its own pace, as fast as goes.

    Raises LabError when the lab itself fails.
    """
    report = Report(scenario)
    if pace is None:
        profile = PROFILES[scenario.profile]
        pace = pace_of(profile, speed_max(profile))
    names = [chr(ord("a") + index) for index in range(len(scenario.clients))]
    interval_seconds = pace.interval_seconds
    network = LabNetwork(names, seed=seed, pace=pace)
    async with network as net, _journalled(scenario) as data_dir:
        settings = scenario.settings(
            lab_settings(net, interval_seconds, scenario.clients, data_dir=data_dir)
        )
        await scenario.before(net)
        async with watched(net, settings, on_event) as (view, _):
            report.events = view.events
            view.note("up", f"a leader, {len(names) - 1} references that copy it, one local node")
            if not await view.until(is_healthy, interval_seconds):
                message = "the lab network did not become healthy"
                raise LabError(message)
            await net.wait_blocks(HEALTHY_BLOCKS)
            if not is_healthy(view.sidecar.memory):
                message = "the lab network did not stay healthy"
                raise LabError(message)
            view.note("healthy", "every check is ok")
            sent = await _fault(scenario, view, report, interval_seconds)
            await _heal(scenario, view, report, interval_seconds, sent)
            passed = not report.problems
            view.note("end", "as expected" if passed else "; ".join(report.problems))
    return report


async def _until_mined(net: LabNetwork, sent: Sequence[str]) -> int:
    """How many payments are on the network, once all are, or when the time is over."""
    last = net.leader_number + PHASE_BLOCKS_MAX
    while (count := await mined(net.leader.anvil, sent)) < len(sent) and net.leader_number < last:
        await net.wait_blocks(1)
    return count


@contextlib.asynccontextmanager
async def _journalled(scenario: Scenario) -> AsyncIterator[Path | None]:
    """A directory for the journal, in a scenario in which something is paid."""
    if not scenario.payments:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


async def _sign(scenario: Scenario, view: Watched) -> tuple[bytes, ...]:
    """The payments, signed beforehand: that takes a moment, and the fault is not to wait for it."""
    if not scenario.payments:
        return ()
    chain_id = int(await view.net.leader.anvil.rpc("eth_chainId"), 16)
    return await asyncio.to_thread(signed_payments, scenario.payments, chain_id=chain_id)


async def _pay(payments: Sequence[bytes], view: Watched) -> tuple[str, ...]:
    """Send the payments as their program does, through the tap; their hashes."""
    if view.tap is None:
        return ()
    hashes = await pay(view.tap, payments)
    view.note("sent", f"{len(hashes)} payments, taken by the local node: it says that all is well")
    return hashes


async def _fault(
    scenario: Scenario, view: Watched, report: Report, interval: float
) -> tuple[str, ...]:
    payments = await _sign(scenario, view)
    first = len(view.events)
    view.note("fault", scenario.title)
    began = view.net.leader_number
    await scenario.fault(view.net)
    sent = await _pay(payments, view)
    wanted = dict(scenario.findings)

    def is_complete(memory: Memory) -> bool:
        return all(key in memory and memory[key].finding.level == wanted[key] for key in wanted)

    if await view.until(is_complete, interval):
        opened = [
            e.block for e in view.events[first:] if e.key in wanted and e.level == wanted[e.key]
        ]
        report.detected_blocks = max(opened, default=began) - began
    watch = view.sidecar.watches[NETWORK]
    if scenario.detected_within is not None:
        limit = getattr(watch.policy, scenario.detected_within)
        report.detection_limit = limit + view.net.pace.late_blocks
    report.gate_exit = await gate_exit(view.sidecar.settings)
    view.note("gate", f"`headwatch gate` exits {report.gate_exit}")
    nodes = (view.net.local, *view.net.reference.values())
    report.idle = tuple(node.name for node in nodes if node.proxy.deck.is_idle)
    _collect(view, report, first)
    return sent


async def gate_exit(settings: Settings) -> int:
    """The exit code of the real command, in a process of its own, on this configuration."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "headwatch.yaml"
        path.write_text(show(settings), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor", "gate", "-c", str(path), "--json"),
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(GATE_SECONDS_MAX):
                return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()


async def _heal(
    scenario: Scenario, view: Watched, report: Report, interval: float, sent: Sequence[str]
) -> None:
    first = len(view.events)
    await scenario.heal(view.net)
    view.note("heal", "the fault is taken away")
    if sent:
        report.payments_mined = await _until_mined(view.net, sent)
        view.note("mined", f"{report.payments_mined} of {len(sent)} payments are on the network")
    await view.until(is_healthy, interval)
    await view.net.wait_blocks(AFTER_BLOCKS)
    if scenario.healed_exit_code is not None:
        report.healed_exit = await gate_exit(view.sidecar.settings)
        view.note("gate", f"`headwatch gate` exits {report.healed_exit}")
    _collect(view, report, first)
    report.still_open = frozenset(
        key for key, held in view.sidecar.memory.items() if held.finding.level != Level.OK
    )


def _collect(view: Watched, report: Report, first: int) -> None:
    """Read from the timeline what opened, how bad it got, and what explained it."""
    for event in view.events[first:]:
        if event.key is None or event.level is None or event.level == Level.OK:
            continue
        report.worst[event.key] = max(event.level, report.worst.get(event.key, Level.OK))
        if event.because is not None:
            report.explained[event.key] = event.because
    for key, held in view.sidecar.memory.items():
        if held.finding.because is not None and key in report.worst:
            report.explained[key] = held.finding.because
