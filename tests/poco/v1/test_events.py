"""The words of the log: what comes from a pool says so, and every word is in the union."""

from __future__ import annotations

import inspect
from typing import get_args, get_type_hints

from monitor.poco.v1 import events
from monitor.poco.v1.declared import POOL
from monitor.poco.v1.events import Event, Logged


def test_event_is_every_class_that_is_one() -> None:
    """Whoever matches on Event has seen them all."""
    classes = {
        each for _, each in inspect.getmembers(events, inspect.isclass) if each is not Logged
    }
    assert {each for each in classes if each.__module__ == events.__name__} == set(get_args(Event))


def test_event_of_a_pool_begins_with_the_pool() -> None:
    """Its emitter is no argument, and is known all the same."""
    for row in POOL:
        if row.make is not None:
            assert next(iter(get_type_hints(row.make))) == "pool"
