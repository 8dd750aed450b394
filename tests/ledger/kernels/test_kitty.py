"""The kitty."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.kernels.bounds import INT64_MAX, OutOfBounds
from monitor.ledger.kernels.compiled import Engine
from monitor.ledger.kernels.kitty import scan_kitty
from tests.ledger.kernels import plain
from tests.ledger.kernels.plain import untimed

ENDS = st.lists(
    st.tuples(st.integers(0, 12_000) | st.integers(0, 10**17) | st.just(0), st.booleans()),
    max_size=40,
)


@untimed
@given(ends=ENDS)
@pytest.mark.parametrize("engine", plain.ENGINES)
def test_kitty_of_any_ends_is_that_of_the_rule(
    engine: Engine, ends: list[tuple[int, bool]]
) -> None:
    """Draw after draw, in log order."""
    forfeits, draws = [forfeit for forfeit, _ in ends], [draw for _, draw in ends]
    assert scan_kitty(forfeits, draws, engine=engine).tolist() == plain.kitty(forfeits, draws)


@pytest.mark.parametrize("engine", plain.ENGINES)
@pytest.mark.parametrize(
    ("held", "drawn"),
    [
        (0, 0),
        (1, 1),
        (999, 999),
        (1000, 1000),
        (1001, 1000),
        (10_009, 1000),
        (10_010, 1001),
        (INT64_MAX, INT64_MAX // 10),
    ],
)
def test_draw_at_its_boundaries(engine: Engine, held: int, drawn: int) -> None:
    """All up to 1000 nRLC, 1000 up to 10,009, then a tenth."""
    assert scan_kitty([held, 0], [False, True], engine=engine).tolist() == [0, drawn]


@pytest.mark.parametrize("engine", plain.ENGINES)
def test_kitty_beyond_64_bits_is_refused_with_its_end(engine: Engine) -> None:
    """Nothing wraps; the last amount that fits is taken."""
    assert scan_kitty([INT64_MAX - 1, 1], [False] * 2, engine=engine).tolist() == [0, 0]
    with pytest.raises(OutOfBounds, match="end 2"):
        scan_kitty([INT64_MAX - 1, 1, 1], [False] * 3, engine=engine)
    with pytest.raises(OutOfBounds, match="forfeits"):
        scan_kitty([-1], [False], engine=engine)
