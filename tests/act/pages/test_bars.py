from __future__ import annotations

import re

import pytest

from monitor.act.pages.bars import COUNT, HEIGHTS, NOTHING, share_words, slots_of, strip_of
from monitor.history import Bar
from monitor.model import Level
from tests.act.snapshots import NOW

SLOT_SECONDS = 1800.0


def bar(place: int = 0, *, failed: float = 0, degraded: float = 0, unknown: float = 0) -> Bar:
    """Half an hour of which these seconds were not ok."""
    begin = NOW - (COUNT - place) * SLOT_SECONDS
    ok = SLOT_SECONDS - failed - degraded - unknown
    return Bar(begin, SLOT_SECONDS, ok, unknown, degraded, failed)


def test_strip_of_a_quiet_day_is_one_stroke() -> None:
    """Two hundred quiet nodes cost next to nothing."""
    strip = strip_of([bar()] * COUNT)
    assert strip.paths == (("ok", "M0 8h96"),)
    assert strip.words == "last 24 h: ok"


def test_strip_draws_each_run_where_it_was() -> None:
    """What follows each other at one level is one stroke; worse ones are told first."""
    bars = [bar()] * COUNT
    bars[10] = bars[11] = bar(failed=60)
    bars[20] = bar(unknown=90)
    strip = strip_of(bars)
    assert strip.paths == (
        ("failed", "M20 5h4"),
        ("unknown", "M40 7h2"),
        ("ok", "M0 8h20m4 0h16m2 0h54"),
    )
    assert strip.words == "last 24 h: failed for 2 min, unknown for 1 min 30 s"


def test_strip_leaves_out_what_nobody_knows() -> None:
    """A gap is neither well nor ill, and the words say how much is known."""
    strip = strip_of([None] * 24 + [bar()] * 24)
    assert strip.paths == (("ok", "M48 8h48"),)
    assert strip.words == "last 24 h, of which 12 h are known: ok"
    # The newest half hour has just begun: that is no gap.
    begun = Bar(NOW, 10.0, 10.0, 0.0, 0.0, 0.0)
    assert strip_of([*[bar()] * 47, begun]).words == "last 24 h: ok"
    assert strip_of([None] * COUNT) == NOTHING
    assert strip_of([]) == NOTHING


def test_strip_worst_of_a_bar_is_its_level() -> None:
    """One failed second in half an hour is seen."""
    assert strip_of([bar(failed=1, degraded=900, unknown=800)]).paths == (("failed", "M0 5h2"),)


def test_bars_are_told_apart_without_colours() -> None:
    """Each level has a height of its own, the worse the taller, as the style sheet draws it."""
    assert sorted(HEIGHTS, key=lambda level: HEIGHTS[level]) == sorted(Level)
    assert len(set(HEIGHTS.values())) == len(Level)
    from monitor.act.assets import static

    css = static()["headwatch.css"].body.decode()
    for level, height in HEIGHTS.items():
        found = re.search(rf"\.bars \.{level.word} {{[^}}]*stroke-width: (\d+)", css)
        assert found is not None
        assert int(found[1]) == height, level


def test_slots_say_their_time_and_what_happened() -> None:
    """Pointing at a bar tells when it was and for how long it was not ok."""
    slots = slots_of([None, bar(1), bar(2, failed=90)], NOW)
    assert [slot.level for slot in slots] == ["ok", "failed"]
    assert [slot.path for slot in slots] == ["M2 8h2", "M4 5h2"]
    assert slots[0].words.endswith("UTC: ok")
    assert slots[1].words.endswith("UTC: failed for 1 min 30 s")


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (None, ""),
        (1.0, "100 %"),
        (0.999999, "99.99 %"),
        (0.9998, "99.98 %"),
        (0.5, "50 %"),
        (0.29, "29 %"),
        (0.0, "0 %"),
    ],
)
def test_share_is_never_better_than_it_was(share: float | None, words: str) -> None:
    """A second of failure in a day is not shown as 100 %."""
    assert share_words(share) == words
