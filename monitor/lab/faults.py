"""What a fault is, and which call it meets."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import KW_ONLY, dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from monitor.lab.errors import LabError

LOG_ENTRIES_MAX = 1000

Kind = Literal[
    "lag",
    "freeze",
    "ahead",
    "mutate_hash",
    "override",
    "wrong_chain",
    "wrong_id",
    "drop_from_batch",
    "no_batch",
    "latency",
    "hang",
    "reset",
    "http",
    "html",
    "huge",
    "truncate",
    "slowloris",
    "deaf",
]
"""How a node misbehaves.

- `lag`: shows the chain as it was `blocks` ago, in heads, tags, state and logs.
- `freeze`: shows the chain as it was when the fault was first met.
- `ahead`: claims `blocks` more than there are; their hashes are made up, and linked.
- `mutate_hash`: names other hashes from `from_number` on; the lying chain is linked.
- `override`: answers with `result`, or with `error`.
- `wrong_chain`: answers `eth_chainId` and `net_version` with `chain_id`.
- `wrong_id`: answers under an id that was not asked.
- `drop_from_batch`: leaves these methods out of a batch's answer.
- `no_batch`: answers a batch with one error object.
- `latency`: `seconds` (the median) before the answer, log-normal with `sigma`.
- `hang`: takes a request or a handshake and is silent until the faults change; then answers.
- `reset`: resets the connection.
- `http`: `status` with `text`; `retry_after_seconds` becomes the header.
- `html`: a page of a load balancer, with `status` or 200.
- `huge`: an answer of `size_bytes`.
- `truncate`: ends in the middle of the answer.
- `slowloris`: one byte of the answer every `seconds`.
- `deaf`: a websocket that stays open and delivers nothing.
"""

VIEW_KINDS: tuple[Kind, ...] = ("lag", "freeze", "ahead", "mutate_hash")

_NEEDED: dict[str, str] = {
    "lag": "blocks",
    "ahead": "blocks",
    "latency": "seconds",
    "slowloris": "seconds",
    "http": "status",
    "huge": "size_bytes",
    "wrong_chain": "chain_id",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave, and when."""

    kind: Kind
    _: KW_ONLY
    methods: str = "*"
    """A glob: the JSON-RPC methods concerned. A faulty exchange holds at least one of them."""
    probability: float = 1.0
    times: int | None = None
    """How often it strikes before it has healed by itself; `None` is always."""
    blocks: int = 0
    from_number: int = 0
    seconds: float = 0.0
    sigma: float = 0.0
    status: int = 0
    retry_after_seconds: int | None = None
    text: str = ""
    size_bytes: int = 0
    chain_id: int = 0
    result: Any = None
    error: tuple[int, str] | None = None
    """Code and message; `None` means that `result` is the answer."""

    def __post_init__(self) -> None:
        """Raise LabError for a fault that could not strike as it is meant to."""
        if self.kind not in get_args(Kind):
            message = f"there is no fault {self.kind!r}: {', '.join(get_args(Kind))}"
            raise LabError(message)
        needed = _NEEDED.get(self.kind)
        if needed is not None and getattr(self, needed) <= 0:
            message = f"fault {self.kind} needs {needed} > 0, not {getattr(self, needed)}"
            raise LabError(message)
        if not 0 < self.probability <= 1:
            message = f"fault {self.kind}: a probability of {self.probability} is not in (0, 1]"
            raise LabError(message)


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault that was applied, for the log."""

    sequence: int
    at: float
    kind: Kind
    method: str


class Deck:
    """The faults in force; the same seed, faults and calls give the same strikes."""

    def __init__(self, seed: int, clock: Callable[[], float] = time.time) -> None:
        self.faults: tuple[Fault, ...] = ()
        self.log: deque[Strike] = deque(maxlen=LOG_ENTRIES_MAX)
        self._left: list[int | None] = []
        self._random = random.Random(seed)
        self._clock = clock
        self._sequence = 0

    def set(self, faults: Sequence[Fault]) -> None:
        """Put these faults in the place of all others."""
        self.faults = tuple(faults)
        self._left = [fault.times for fault in faults]

    def pick(self, methods: Collection[str], *kinds: Kind) -> Fault | None:
        """The first fault of these kinds that strikes now, for the first method it concerns."""
        for index, fault in enumerate(self.faults):
            if fault.kind not in kinds or self._left[index] == 0:
                continue
            method = next((one for one in methods if fnmatchcase(one, fault.methods)), None)
            if method is None:
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            left = self._left[index]
            self._left[index] = None if left is None else left - 1
            self._sequence += 1
            self.log.append(Strike(self._sequence, self._clock(), fault.kind, method))
            return fault
        return None

    def delay_seconds(self, fault: Fault) -> float:
        """A draw of this latency: its median times a log-normal factor."""
        return fault.seconds * self._random.lognormvariate(0.0, fault.sigma)
