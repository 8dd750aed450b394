"""The driver on a Dask cluster: the same stages and kernels, a part a task (`headwatch[dask]`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from distributed import Client

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class OnCluster:
    """Parts are sent to the cluster's workers, which need headwatch with its `ledger` extra."""

    client: Client
    """Connected; whoever made it closes it."""
    parts: int
    """A few for each thread of the cluster."""

    def map(self, stage: Callable[[A], B], parts: Iterable[A]) -> Iterator[B]:
        # Parts go to the workers as data and not inside the graph, which the scheduler holds.
        # Nothing is kept by its content: equal parts of two runs are two.
        scatter: Callable[..., list[object]] = self.client.scatter
        sent = [scatter([part], hash=False)[0] for part in parts]
        futures = self.client.map(stage_of, sent, stage=stage, pure=False)
        del sent
        for future in futures:
            yield future.result()


def stage_of(part: A, *, stage: Callable[[A], B]) -> B:
    """One part's stage, on a worker."""
    return stage(part)
