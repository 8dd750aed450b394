"""What was measured lately: bounded series, by measure and subject."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from monitor.policy.measures import Subjects

SAMPLES_COUNT_MAX = 200_000
"""Of all series together: some 25 MB."""
SERIES_COUNT_MIN = 16
"""A fleet shortens the past that is kept, to this many samples of each series and no fewer."""
SERIES_COUNT_MAX = 10_000
SERIES_SECONDS_MAX = 86_400.0
EVERY_ROUND: Mapping[str, float] = {}

Key = tuple[str, str]
"""The name of the series, as `Rule.series` has it, and the subject."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured value."""

    at: float
    value: float
    """Of a ratio: the part."""
    whole: float = 1.0
    """Of a ratio: what it is a part of."""
    is_at_least: bool = False
    """The true value may be larger, and is not smaller."""


@dataclass(slots=True)
class Series:
    """One subject's samples, oldest first."""

    began: float
    """From here on nothing is missing: watched since, or forgotten up to here."""
    every_seconds: float = 0.0
    """How often it is measured; 0 is in every round."""
    samples: deque[Sample] = field(default_factory=deque)
    why_none: str = ""
    """Why there is no sample, where somebody knows."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store says of one series: a value, or why there is none."""

    series: str
    subject: str
    sample: Sample | None
    why_none: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that is measured."""

    name: str
    """As in findings: `node:NAME`, `reference:NETWORK/quorum`, `network:NAME`, `ledger:NAME`."""
    network: str


class Samples:
    """All series of what is watched. Mutable; what is not watched any more is forgotten."""

    def __init__(self) -> None:
        self.subjects: Mapping[Subjects, tuple[Subject, ...]] = {}
        self._series: dict[Key, Series] = {}
        self._kept = SERIES_COUNT_MAX

    def watch(
        self,
        names: Iterable[tuple[str, Subjects]],
        subjects: Mapping[Subjects, tuple[Subject, ...]],
        now: float,
        *,
        paces: Mapping[str, float] = EVERY_ROUND,
    ) -> None:
        """Watch these from `now` on; what was watched before keeps its samples.

        `paces`: how often a series is measured, in seconds; in every round where it says nothing.
        """
        self.subjects = subjects
        wanted = {
            (name, subject.name) for name, kind in names for subject in subjects.get(kind, ())
        }
        self._series = {key: self._series.get(key) or Series(now) for key in sorted(wanted)}
        for (name, _), series in self._series.items():
            series.every_seconds = paces.get(name, 0.0)
        share = SAMPLES_COUNT_MAX // max(1, len(wanted))
        self._kept = max(SERIES_COUNT_MIN, min(SERIES_COUNT_MAX, share))

    def series(self, name: str, subject: str) -> Series | None:
        """One series; None where that is not watched."""
        return self._series.get((name, subject))

    def add(self, name: str, subject: str, sample: Sample) -> None:
        """Remember a sample of what is watched; the oldest make room for it."""
        series = self._series.get((name, subject))
        if series is None:
            return
        series.samples.append(sample)
        series.why_none = ""
        while (
            len(series.samples) > self._kept
            or sample.at - series.samples[0].at > SERIES_SECONDS_MAX
        ):
            series.began = max(series.began, series.samples.popleft().at)

    def put(self, stored: Stored) -> None:
        """The one value there is of it now, in place of the one before."""
        series = self._series.get((stored.series, stored.subject))
        if series is not None:
            series.samples.clear()
            series.why_none = stored.why_none
            if stored.sample is not None:
                series.samples.append(stored.sample)
