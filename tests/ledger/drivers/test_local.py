"""The driver in this process."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.ledger.drivers.local import InProcess


def test_parts_are_taken_one_by_one_and_given_back_in_their_order() -> None:
    """The next part is not made before the one before it is done: memory is that of one."""
    seen = []

    def parts() -> Iterator[int]:
        for number in range(3):
            seen.append(f"made {number}")
            yield number

    def stage(number: int) -> str:
        seen.append(f"done {number}")
        return str(number)

    assert list(InProcess(3).map(stage, parts())) == ["0", "1", "2"]
    assert seen == ["made 0", "done 0", "made 1", "done 1", "made 2", "done 2"]
