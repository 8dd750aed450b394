"""How often garbage is collected."""

from __future__ import annotations

import gc

import pytest

from monitor.garbage import REPLAY_THRESHOLDS, seldom


def test_seldom_is_only_within_and_is_undone_by_an_error() -> None:
    """Whoever asks for it elsewhere in a process leaves the rest of it as it was."""
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    assert before != REPLAY_THRESHOLDS
    with seldom():
        assert gc.get_threshold() == REPLAY_THRESHOLDS
        assert gc.get_freeze_count() > frozen
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
    with pytest.raises(KeyError), seldom():
        raise KeyError
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
