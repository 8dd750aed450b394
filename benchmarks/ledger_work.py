"""One piece of work on the ledger, in a process of its own: `python -m benchmarks.ledger_work`.

WHAT is `replay` (event after event), `stored` (logs decoded, and then replayed), `gather` (the same
events into columns, and the prediction of those), `columns` or `cluster` (the prediction of columns
that were made out of nothing, here or on Dask). It says how far it has come and then what it cost,
each as one line of JSON. Garbage is collected as seldom as in a reconciliation. Making the history
is not in the figures. The digest is of all scores and balances.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from benchmarks.ledger_history import HUB, History
from benchmarks.tracked import megabytes
from monitor.garbage import seldom
from monitor.model import Address
from monitor.poco.v1.events import Logged
from monitor.poco.v1.state import State


def replay(contributions: int) -> dict[str, Any]:
    """By the rules, all of them; the state is held, the events are not."""
    from monitor.poco.v1.replay import Replay, new_state

    history = History(contributions)
    replaying = Replay(new_state(HUB), history.facts)
    spent = 0.0
    for logged in _told(history):
        began = time.process_time()
        for one in logged:
            replaying.apply(one)
        spent += time.process_time() - began
    replaying.finish()
    assert not replaying.differences, replaying.differences[0]
    digest = _digest_of(replaying.state)
    return {"events": history.events, "cpu_seconds": spent, "digest": digest}


def gather(contributions: int) -> dict[str, Any]:
    """Into columns, event after event, and from there all at once."""
    from monitor.ledger.drivers.gathering import columns_of
    from monitor.ledger.drivers.local import InProcess
    from monitor.ledger.drivers.predict import predict

    predict(columns_of([], History(0).facts, HUB), InProcess())
    history = History(contributions)
    making = 0.0

    def timed() -> Iterator[Iterable[Logged]]:
        nonlocal making
        chunks = _told(history)
        while True:
            began = time.process_time()
            logged = next(chunks, None)
            making += time.process_time() - began
            if logged is None:
                return
            yield logged

    began = time.process_time()
    columns = columns_of(chain.from_iterable(timed()), history.facts, HUB)
    gathering = time.process_time() - began - making
    began = time.process_time()
    found = predict(columns, InProcess())
    predicting = time.process_time() - began
    balances = zip(found.stake.tolist(), found.locked.tolist(), strict=True)
    scores = zip(columns.accounts, found.last_score.tolist(), strict=True)
    digest = _digest(dict(zip(columns.accounts, balances, strict=True)), dict(scores))
    return {
        "events": history.events,
        "cpu_seconds": gathering,
        "predict_seconds": predicting,
        "digest": digest,
    }


def stored(contributions: int) -> dict[str, Any]:
    """The same replay from logs as they are stored: a batch is decoded, and then applied."""
    from benchmarks.ledger_stored import CONTRACTS, batches
    from monitor.ledger.v1.emitters import Emitters
    from monitor.poco.v1.replay import Replay, new_state

    history = History(contributions)
    replaying, emitters = Replay(new_state(HUB), history.facts), Emitters(CONTRACTS)
    decoding = applying = 0.0
    for batch in chain.from_iterable(map(batches, _told(history))):
        began = time.process_time()
        emitters.learn_of(batch)
        logged = list(emitters.logged(batch))
        decoded = time.process_time()
        for one in logged:
            replaying.apply(one)
        applying += time.process_time() - decoded
        decoding += decoded - began
    replaying.finish()
    assert not replaying.differences, replaying.differences[0]
    return {
        "events": history.events,
        "cpu_seconds": decoding + applying,
        "decode_seconds": decoding,
        "digest": _digest_of(replaying.state),
    }


def columns(contributions: int) -> dict[str, Any]:
    """In this process; the columns themselves are in its memory."""
    from monitor.ledger.drivers.local import InProcess

    return _predicted(contributions, InProcess(8))


def cluster(contributions: int) -> dict[str, Any]:
    """Two workers of one thread each: processes of their own, whose memory and time are theirs."""
    from distributed import Client, LocalCluster

    from monitor.ledger.drivers.cluster import OnCluster

    start: Callable[..., Any] = LocalCluster
    connect: Callable[..., Any] = Client
    with (
        start(n_workers=2, threads_per_worker=1, dashboard_address=":0") as local,
        connect(local) as client,
    ):
        said = _predicted(contributions, OnCluster(client, 8))
        said["cpu_seconds"] = None
        said["megabytes"] = megabytes() + sum(client.run(megabytes).values())
    return said


def _predicted(contributions: int, driver: Any) -> dict[str, Any]:
    from benchmarks.ledger_columns import columns_of_nothing
    from monitor.ledger.drivers.predict import predict

    predict(columns_of_nothing(1000), driver)
    made = columns_of_nothing(contributions)
    began, wall = time.process_time(), time.perf_counter()
    found = predict(made, driver)
    return {
        "cpu_seconds": time.process_time() - began,
        "wall_seconds": time.perf_counter() - wall,
        "digest": found.digest,
    }


def _told(history: History) -> Iterator[list[Logged]]:
    for logged in history.chunks():
        _say({"events": history.events})
        yield logged


def _digest_of(state: State) -> str:
    balances = {who: (one.stake, one.locked) for who, one in state.accounts.items()}
    return _digest(balances, state.scores)


def _digest(balances: dict[Address, tuple[int, int]], scores: dict[Address, int]) -> str:
    """Of what is not zero."""
    there = sorted((who, *pair) for who, pair in balances.items() if any(pair))
    scored = sorted((who, score) for who, score in scores.items() if score)
    return hashlib.sha256(repr((there, scored)).encode()).hexdigest()


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


WORK = {work.__name__: work for work in (replay, gather, stored, columns, cluster)}

if __name__ == "__main__":
    with seldom():
        done = WORK[sys.argv[1]](int(sys.argv[2]))
    _say({"megabytes": megabytes(), **done, "is_done": True})
