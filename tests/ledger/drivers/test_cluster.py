"""The driver on a Dask cluster."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from distributed import Client, LocalCluster
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.ledger.drivers.cluster import OnCluster, stage_of
from monitor.ledger.drivers.gathering import columns_of
from monitor.ledger.drivers.local import InProcess
from monitor.ledger.drivers.predict import predict
from monitor.ledger.drivers.stages import MovePart, ScorePart, TaskPart, scored, split, summed
from monitor.ledger.kernels.bounds import OutOfBounds
from tests.ledger.drivers.whole import (
    SEEDS,
    VALUES,
    predicted_by,
    priced,
    replayed,
    said_by,
    small,
)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Two workers, as threads of this process."""
    start: Any = LocalCluster
    connect: Any = Client
    options = {"processes": False, "dashboard_address": ":0", "worker_dashboard_address": ":0"}
    with (
        start(n_workers=2, threads_per_worker=1, **options) as cluster,
        connect(cluster) as connected,
    ):
        yield connected


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=SEEDS, parts=st.integers(1, 5), values=VALUES)
def test_prediction_on_a_cluster_is_that_of_the_replay(
    client: Client, seed: int, parts: int, values: list[int]
) -> None:
    """To the last digit, with amounts whose products have 128 bits; and of one process the same."""
    world = small(seed)
    facts = priced(world, values)
    columns = columns_of(world.logged, facts, world.hub)
    found = predict(columns, OnCluster(client, parts))
    assert predicted_by(columns, found) == said_by(replayed(world, facts))
    assert found.digest == predict(columns, InProcess()).digest


def test_cluster_gives_parts_back_in_their_order(client: Client) -> None:
    """However long each takes, and although two of them are equal."""
    driver = OnCluster(client, 3)
    assert list(driver.map(str, [3, 1, 2, 1])) == ["3", "1", "2", "1"]
    assert list(driver.map(str, [])) == []


def test_cluster_hands_on_what_a_stage_raises(client: Client) -> None:
    """A kernel's refusal on a worker is the same refusal here."""
    one = np.ones(1, np.int64)
    with pytest.raises(OutOfBounds, match="accounts"):
        list(OnCluster(client, 1).map(summed, [MovePart(one, one, one, 1)]))


def travelled(what: Any) -> Any:
    return pickle.loads(pickle.dumps(what))  # noqa: S301 - our own


def test_stages_and_parts_can_be_sent_to_other_machines() -> None:
    """Threads share what processes must pickle: stage, part and answer survive it."""
    one, flag = np.ones(1, np.int64), np.ones(1, np.bool_)
    offsets = np.array([0, 1])
    for stage, part in (
        (scored, ScorePart(one, one, one + 1, flag)),
        (split, TaskPart(one, one, one, flag, offsets, one, flag, flag)),
        (summed, MovePart(one - 1, one, one, 1)),
    ):
        sent, received = travelled((partial(stage_of, stage=stage), part))
        assert str(travelled(sent(received))) == str(sent(part))
