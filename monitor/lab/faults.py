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
    "backwards",
    "finality_stalled",
    "finality_backwards",
    "finalized_hash",
    "tags_unordered",
    "timestamp_skew",
    "wrong_logs",
    "wrong_state",
    "override",
    "wrong_chain",
    "wrong_id",
    "drop_from_batch",
    "batch_error",
    "no_batch",
    "date_skew",
    "latency",
    "hang",
    "reset",
    "http",
    "html",
    "huge",
    "truncate",
    "slowloris",
    "deaf",
    "ws_gap",
    "ws_duplicate",
    "ws_out_of_order",
    "removed_logs",
]
"""How a node misbehaves.

- `lag`: shows the chain as it was `blocks` ago, in heads, tags, state and logs.
- `freeze`: shows the chain as it was when the fault was first met.
- `ahead`: claims `blocks` more than there are; their hashes are made up, and linked.
- `mutate_hash`: names other hashes from `from_number` on; the lying chain is linked.
- `backwards`: two backends behind one address: with `probability` (below 1) an exchange is answered
  by the one that is `blocks` behind, so that the head goes back between two polls.
- `finality_stalled`: `safe` and `finalized` name what they named when the fault was first met.
- `finality_backwards`: `finalized` names a block `blocks` below the true one.
- `finalized_hash`: what `finalized` names has another hash than the same block asked by number.
- `tags_unordered`: `tag` "finalized": `safe` and `finalized` change places; `tag` "safe": `latest`
  names the block `blocks` below the head, and `safe` the head.
- `timestamp_skew`: blocks from `from_number` on are `seconds` younger, or older where negative;
  their hashes stay.
- `wrong_logs`: logs and receipts from block `from_number` on lack the last log of the answer, or
  all, or the last has other data: `part`.
- `wrong_state`: balance, nonce, storage, the result of a call and what a proof is of are another
  value; the nodes of a proof stay.
- `override`: answers with `result`, or with `error`; with `params` only to calls that begin so.
- `wrong_chain`: answers `eth_chainId` and `net_version` with `chain_id`.
- `wrong_id`: answers under an id that was not asked.
- `drop_from_batch`: leaves these methods out of a batch's answer.
- `batch_error`: these calls of a batch fail with `error`, by default a provider's rate limit; the
  others, and calls on their own, are answered.
- `no_batch`: answers a batch with one error object.
- `date_skew`: the `Date` header of whole answers is `seconds` off.
- `latency`: `seconds` (the median) before the answer, log-normal with `sigma`.
- `hang`: takes a request or a handshake and is silent until the faults change; then answers.
- `reset`: resets the connection.
- `http`: `status` with `text`; `retry_after_seconds` becomes the header.
- `html`: a page of a load balancer, with `status` or 200.
- `huge`: an answer of `size_bytes`.
- `truncate`: ends in the middle of the answer.
- `slowloris`: one byte of the answer every `seconds`.
- `deaf`: a websocket that stays open and delivers nothing.
- `ws_gap`: a websocket does not announce this head.
- `ws_duplicate`: a websocket announces this head twice.
- `ws_out_of_order`: a websocket announces this head after the next.
- `removed_logs`: with the next notification, the newest `count` logs that this websocket was told
  come again as `removed`, the newest first, each once.
"""

VIEW_KINDS: tuple[Kind, ...] = ("lag", "freeze", "ahead", "mutate_hash", "backwards")
TAG_KINDS: tuple[Kind, ...] = ("finality_stalled", "finality_backwards", "tags_unordered")
HEAD_KINDS: tuple[Kind, ...] = (*VIEW_KINDS, "timestamp_skew")
"""Those that change what a websocket announces as a head."""
ORDER_KINDS: tuple[Kind, ...] = ("ws_gap", "ws_duplicate", "ws_out_of_order")
CALL_KINDS: tuple[Kind, ...] = ("override", "batch_error", "wrong_logs", "wrong_state")
"""Those that look at the parameters of a call."""

RATE_LIMITED = (-32005, "daily request count exceeded, request rate limited")
"""Limit exceeded (EIP-1474), in the words of a provider."""

_NEEDED: dict[str, str] = {
    "lag": "blocks",
    "ahead": "blocks",
    "backwards": "blocks",
    "finality_backwards": "blocks",
    "removed_logs": "count",
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
    params: tuple[Any, ...] | None = None
    """What the parameters of the calls concerned begin with, strings in any case; `None`: any."""
    every: int = 1
    """It strikes each time it is met, or each second, third, … time."""
    count: int = 1
    tag: Literal["safe", "finalized"] = "finalized"
    part: Literal["last", "all", "data"] = "last"

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
        wrong = self._wrong()
        if wrong is not None:
            message = f"fault {self.kind} {wrong}"
            raise LabError(message)

    def _wrong(self) -> str | None:
        """What it needs besides a positive number, if that is missing."""
        if self.kind.endswith("_skew") and not self.seconds:
            return "needs seconds, above or below 0"
        if self.kind == "backwards" and self.probability == 1:
            return "needs a probability below 1: always behind is a lag"
        if self.kind == "tags_unordered" and self.tag == "safe" and self.blocks <= 0:
            return f"needs blocks > 0, not {self.blocks}"
        if self.params is not None and self.kind not in CALL_KINDS:
            return f"does not look at params: {', '.join(CALL_KINDS)} do"
        return f"needs every > 0, not {self.every}" if self.every < 1 else None

    def concerns(self, params: Sequence[Any]) -> bool:
        """Whether a call with these parameters is one that it is meant for."""
        if self.params is None:
            return True
        begin = [_lower(one) for one in params[: len(self.params)]]
        return begin == [_lower(one) for one in self.params]


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
        self._met: list[int] = []
        self._struck = 0
        self._random = random.Random(seed)
        self._clock = clock
        self._sequence = 0

    def set(self, faults: Sequence[Fault]) -> None:
        """Put these faults in the place of all others."""
        self.faults = tuple(faults)
        self._left = [fault.times for fault in faults]
        self._met = [0] * len(self.faults)
        self._struck = 0

    @property
    def is_idle(self) -> bool:
        """There are faults in force, and none of them has struck yet."""
        return bool(self.faults) and not self._struck

    def now(self) -> float:
        """The time, in seconds since the epoch."""
        return self._clock()

    def pick(
        self, methods: Collection[str], *kinds: Kind, params: Sequence[Any] = ()
    ) -> Fault | None:
        """The first fault of these kinds that strikes now, for the first method it concerns."""
        for index, fault in enumerate(self.faults):
            if fault.kind not in kinds or self._left[index] == 0:
                continue
            method = next((one for one in methods if fnmatchcase(one, fault.methods)), None)
            if method is None or not fault.concerns(params):
                continue
            self._met[index] += 1
            if self._met[index] % fault.every:
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            left = self._left[index]
            self._left[index] = None if left is None else left - 1
            self._sequence += 1
            self._struck += 1
            self.log.append(Strike(self._sequence, self._clock(), fault.kind, method))
            return fault
        return None

    def delay_seconds(self, fault: Fault) -> float:
        """A draw of this latency: its median times a log-normal factor."""
        return fault.seconds * self._random.lognormvariate(0.0, fault.sigma)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value
