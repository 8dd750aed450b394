"""The delays of each change: as computed, in lines that fit, and on the page of the profiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.commands.drifts import changes, document, plot, threshold
from monitor.judge.drift import drift
from monitor.judge.profiles import PROFILES, Profile

PAGE = Path(__file__).parents[2] / "docs" / "profiles.md"
every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.key)


def test_plot_of_work_shows_the_delay_of_each_change() -> None:
    """A longer gap is noticed sooner."""
    assert plot(PROFILES["ethereum-2018"]) == [
        "",
        "from gaps of 14.55 s, noticed on average after",
        "  gaps of 21.83 s          98 blocks  35.6 min  ####################",
        "  gaps of 29.1 s           38 blocks  18.5 min  ########",
        "  gaps of 43.65 s          18 blocks  12.8 min  ####",
    ]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("ethereum", (0.05, 0.1, 0.5)),
        ("sepolia", (0.2, 0.4, 0.5)),
        ("bellecour", (0.5, 0.625, 0.75)),
        ("rinkeby-2018", (2 / 3,)),
        ("ethereum-2018", (21.825, 29.1, 43.65)),
    ],
)
def test_changes_of_a_profile_begin_with_the_one_that_is_looked_for(
    key: str, values: tuple[float, ...]
) -> None:
    """Larger ones follow, up to half of the slots, or all authorities but one."""
    looked_for = drift(PROFILES[key])
    assert looked_for is not None
    assert changes(looked_for) == pytest.approx(values)


@every_profile
def test_plot_of_a_profile_fits_a_terminal_and_delays_fall(profile: Profile) -> None:
    """Small enough for a log; what is larger is noticed no later."""
    drawn = plot(profile)
    assert all(len(line) <= 88 for line in drawn)
    bars = [line.count("#") for line in drawn[2:]]
    assert bars == sorted(bars, reverse=True)
    assert bool(drawn) == (drift(profile) is not None)


@every_profile
def test_document_of_a_drift_holds_what_is_judged_by(profile: Profile) -> None:
    """Or the reason why nothing is."""
    found, looked_for = document(profile), drift(profile)
    if looked_for is None:
        assert isinstance(found["none"], str)
        assert found["none"]
        assert threshold(profile)[0].endswith(found["none"])
        return
    assert found["threshold"] == looked_for.threshold
    assert isinstance(found["delays"], list)
    assert found["delays"][0]["blocks"] == looked_for.delay_blocks(looked_for.shifted)
    assert looked_for.words in threshold(profile)[0]
    assert threshold(profile)[1].startswith("               false alarms a month: 0.")


@every_profile
def test_page_of_profiles_states_each_drift(profile: Profile) -> None:
    """The table of docs/profiles.md has the computed numbers, or the reason for none."""
    looked_for = drift(profile)
    row = f"| `{profile.key}` | none: timestamps or traffic do not show it | | |"
    if looked_for is not None:
        shifted = looked_for.shifted
        row = (
            f"| `{profile.key}` | {looked_for.value_words(looked_for.healthy)} to "
            f"{looked_for.value_words(shifted)} | {looked_for.threshold:.2f} "
            f"| {looked_for.delay_blocks(shifted):.0f} blocks, "
            f"{looked_for.delay_seconds(shifted) / 60:.0f} min |"
        )
    assert row in PAGE.read_text()


def test_page_of_profiles_shows_the_delays_as_they_are_printed() -> None:
    """The plot on the page is the one of the command."""
    printed = "\n".join(f"    {line}" for line in plot(PROFILES["ethereum"])[1:])
    assert printed in PAGE.read_text()
