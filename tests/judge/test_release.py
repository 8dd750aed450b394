"""Versions as clients write them and as releases are tagged."""

from __future__ import annotations

import pytest

from monitor.judge.release import TEXT_CHARACTERS_MAX, Version, supports, version_of


@pytest.mark.parametrize(
    ("text", "numbers", "is_finished"),
    [
        ("Geth/v1.16.2-stable-2bd6bd01/linux-amd64/go1.24.4", (1, 16, 2, 0), True),
        ("Geth/v1.16.3-unstable-2bd6bd01/linux-amd64/go1.24.4", (1, 16, 3, 0), False),
        ("Geth/my node/v1.16.2-stable/linux-amd64/go1.24.4", (1, 16, 2, 0), True),
        ("Nethermind/v1.31.10+8a2c4e1f/linux-x64/dotnet9.0.4", (1, 31, 10, 0), True),
        ("besu/v25.7.0/linux-x86_64/openjdk-java-21", (25, 7, 0, 0), True),
        ("besu/v25.8-develop-1234567/linux-x86_64/openjdk-java-21", (25, 8, 0, 0), False),
        ("reth/v1.6.0-d8451e5/x86_64-unknown-linux-gnu", (1, 6, 0, 0), True),
        ("reth/v1.6.0-rc.1-d8451e5/x86_64-unknown-linux-gnu", (1, 6, 0, 0), False),
        ("erigon/3.0.1/linux-amd64/go1.23.8", (3, 0, 1, 0), True),
        ("erigon/3.1.0-beta2-abcdef/linux-amd64/go1.23.8", (3, 1, 0, 0), False),
        ("nitro/v3.6.5-89cef87/linux-amd64/go1.24.4", (3, 6, 5, 0), True),
        ("Parity-Ethereum//v2.7.2-stable-2662d19/x86_64/rustc1.41.0", (2, 7, 2, 0), True),
        ("anvil/v1.7.1", (1, 7, 1, 0), True),
        ("v1.13.4.1", (1, 13, 4, 1), True),
        ("op-node/v1.13.4", (1, 13, 4, 0), True),
        ("v1.13", (1, 13, 0, 0), True),
        ("v1.16.0-preview3", (1, 16, 0, 0), False),
        ("v1.16.0-prelude", (1, 16, 0, 0), True),
    ],
)
def test_version_is_read_as_each_client_writes_it(
    text: str, numbers: tuple[int, ...], *, is_finished: bool
) -> None:
    """A commit behind the hyphen orders nothing; alpha, beta, rc and development are unfinished."""
    assert version_of(text) == Version(numbers, is_finished)


@pytest.mark.parametrize(
    "text",
    ["", "EthereumJS", "nightly-8e7d1a2c", "v7", "1.2.3.4.5", "v1.x", "v1234567890.1", "/" * 40],
)
def test_version_that_is_none_is_none(text: str) -> None:
    """Nothing is guessed."""
    assert version_of(text) is None


def test_version_is_looked_for_where_it_may_be() -> None:
    """A node may say anything, as long as it likes."""
    padding = "a" * (TEXT_CHARACTERS_MAX - 5)
    assert version_of(f"{padding}/v1.2") == Version((1, 2, 0, 0), is_finished=True)
    assert version_of(f"{padding}aaaa/v1.2") is None


def test_versions_are_in_order() -> None:
    """By numbers and not by text, and unfinished before finished."""
    texts = ["v1.9.24", "v1.16.0-rc1", "v1.16.0", "v1.16.0.1", "v1.16.10", "v2.0"]
    versions = [version for text in texts if (version := version_of(text)) is not None]
    assert len(versions) == len(texts)
    shuffled = [versions[index] for index in (3, 0, 5, 2, 4, 1)]
    assert sorted(shuffled) == versions
    assert [str(version) for version in versions[:4]] == [
        *("1.9.24", "1.16.0, unfinished", "1.16.0", "1.16.0.1")
    ]


@pytest.mark.parametrize(
    ("range_", "below", "at", "above"),
    [
        (">=1.16", False, True, True),
        (">= v1.16.0", False, True, True),
        (">1.16", False, False, True),
    ],
)
def test_range_holds_what_it_says(range_: str, *, below: bool, at: bool, above: bool) -> None:
    """The boundary is the range's own."""
    found = [supports(range_)(Version((1, n, 0, 0), is_finished=True)) for n in (15, 16, 17)]
    assert found == [below, at, above]


@pytest.mark.parametrize("range_", ["", "1.16", "<2", ">=", ">=new", "~1.16", ">=1.16 <2"])
def test_range_of_another_kind_is_refused(range_: str) -> None:
    """In one sentence that shows what is right."""
    with pytest.raises(ValueError, match=r"such as >=1\.16"):
        supports(range_)
