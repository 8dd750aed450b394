"""How often garbage is collected."""

from __future__ import annotations

import gc

COLLECTOR_THRESHOLDS = (50_000, 50, 100)


def tune_collector() -> None:
    """Collect garbage less often: rounds make many small values and next to no cycles.

    With the defaults a third of a round's CPU goes into looking through modules and histories that
    never die, and every so often the loop stands still for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)
