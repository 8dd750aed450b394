"""How a run of a scenario ended, and in what that differs from its row."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.lab.events import Event
from monitor.lab.scenarios.row import Scenario
from monitor.model import Key, Level


@dataclass(slots=True)
class Report:
    """How a scenario ended."""

    scenario: Scenario
    events: list[Event] = field(default_factory=list)
    worst: dict[Key, Level] = field(default_factory=dict)
    """The worst level of every finding that opened."""
    explained: dict[Key, Key] = field(default_factory=dict)
    """Findings that named another as their cause."""
    still_open: frozenset[Key] = frozenset()
    idle: tuple[str, ...] = ()
    """Nodes whose proxies were given faults that met no call: such a run proves nothing."""
    payments_mined: int = 0
    """Of those that were sent, on the network, in the end."""
    gate_exit: int | None = None
    healed_exit: int | None = None
    """Of the gate after the healing, in a scenario that says what it must be."""
    detected_blocks: int | None = None
    """Blocks of the leader from the fault to the last expected finding."""
    detection_limit: int | None = None

    @property
    def problems(self) -> list[str]:
        """What differs from the scenario's row; empty when it passed."""
        expected = dict(self.scenario.findings)
        found = []
        for key, level in expected.items():
            seen = self.worst.get(key)
            if seen != level:
                found.append(f"{_words(key)}: expected {level.word}, {_level(seen)}")
        found.extend(
            f"{_words(key)}: opened {level.word}, not expected"
            for key, level in self.worst.items()
            if not self._is_known(key, level)
        )
        found.extend(f"the fault of {name} never struck" for name in self.idle)
        if self.payments_mined != self.scenario.payments:
            found.append(
                f"payments: {self.payments_mined} of {self.scenario.payments} were mined on the "
                "network"
            )
        found.extend(f"{_words(key)}: did not close" for key in sorted(self.still_open))
        if self.gate_exit != self.scenario.exit_code:
            found.append(f"gate: expected exit {self.scenario.exit_code}, found {self.gate_exit}")
        if self.healed_exit != self.scenario.healed_exit_code:
            found.append(
                f"gate: expected exit {self.scenario.healed_exit_code} after the healing, found "
                f"{self.healed_exit}"
            )
        if self.detection_limit is not None and self.detected_blocks is not None:
            allowed = self.detection_limit + 2
            if self.detected_blocks > allowed:
                found.append(
                    f"detected after {self.detected_blocks} blocks, at most {allowed} are allowed"
                )
        return found

    def _is_known(self, key: Key, level: Level) -> bool:
        """Whether the row speaks of it, or something that the row speaks of explains it."""
        known = dict(self.scenario.also)
        known |= dict.fromkeys(dict(self.scenario.findings), Level.FAILED)
        cause = self.explained.get(key, key)
        return level <= max(known.get(one, Level.OK) for one in (key, cause))


def _words(key: Key) -> str:
    return f"{key[0]} {key[1]}"


def _level(level: Level | None) -> str:
    return "it did not open" if level is None else f"found {level.word}"
