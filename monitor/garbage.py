"""How often garbage is collected: seldom, where many small values make next to no cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

COLLECTOR_THRESHOLDS = (50_000, 50, 100)
REPLAY_THRESHOLDS = (200_000, 50, 100)
"""A batch of events is some fifty thousand objects, which die together and in no cycle."""


def tune_collector() -> None:
    """Collect garbage less often, for as long as this process lives.

    With the defaults a third of a round's CPU goes into looking through modules and histories that
    never die, and every so often the loop stands still for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


@contextmanager
def seldom() -> Iterator[None]:
    """Collect garbage less often within, and never look through what is there already.

    With the defaults a third of the time of a replay goes into looking through events that are
    about to die and a state that stays.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*REPLAY_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
