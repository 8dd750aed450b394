"""How often a process that replays looks for garbage: seldom, since it makes next to no cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (200_000, 50, 100)
"""A batch of events is some fifty thousand objects, which die together and in no cycle."""


@contextmanager
def seldom() -> Iterator[None]:
    """Collect garbage less often, and never look through what is there already.

    With the defaults a third of the time of a replay goes into looking through events that are
    about to die and a state that stays.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
