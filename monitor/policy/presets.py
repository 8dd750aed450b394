"""Rules for who does not want to write any: from the thresholds of each chain's own profile."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from monitor.policy.rules import OVER_SECONDS_MAX, Options, Rule, parse

Preset = Literal["quick", "soak"]
PRESETS: Mapping[Preset, str] = {
    "quick": "a few rounds: may this node be asked at all",
    "soak": "fifty blocks, and ten minutes at least: may this node version replace another",
}
SOAK_SECONDS_MIN = 600.0
SOAK_BLOCKS = 50


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Of a chain, as `monitor.judge.profiles.Policy` has them."""

    lag_blocks: int
    confirmations: int
    interval_seconds: float
    stall_seconds: float


def rules_of(preset: Preset, thresholds: Thresholds, network: str = "") -> tuple[Rule, ...]:
    """The rules of a preset for one network."""
    rows = _quick(thresholds) if preset == "quick" else _soak(thresholds)
    return tuple(parse(text, replace(options, network=network)) for text, options in rows)


def _quick(t: Thresholds) -> tuple[tuple[str, Options], ...]:
    return (
        ("identity.mismatch_ratio == 0%", Options(abort_on_fail=True)),
        (f"head.lag_blocks.max < {t.lag_blocks}", Options(min_samples=3, consecutive=2)),
        (f"fork.depth_blocks.max < {t.confirmations}", Options(min_samples=3)),
        ("rpc.error_ratio < 5%", Options(min_samples=3)),
        ("rpc.latency_seconds.max < 1s", Options(severity="warn", min_samples=3)),
        ("references.agreeing_operators.min >= 2", Options(severity="warn")),
    )


def _soak(t: Thresholds) -> tuple[tuple[str, Options], ...]:
    over = min(OVER_SECONDS_MAX, max(SOAK_SECONDS_MIN, SOAK_BLOCKS * t.interval_seconds))
    whole = Options(over_seconds=over, min_samples=20)
    quiet_seconds = math.ceil(t.stall_seconds)
    return (
        ("identity.mismatch_ratio == 0%", replace(whole, abort_on_fail=True)),
        (f"head.lag_blocks.max < {t.lag_blocks}", replace(whole, consecutive=2)),
        (f"head.lag_blocks.p99 < {2 * t.lag_blocks}", whole),
        ("head.unseen_ratio < 1%", whole),
        (f"fork.depth_blocks.max < {t.confirmations}", replace(whole, abort_on_fail=True)),
        (f"stall.missed_blocks.max < {t.lag_blocks}", replace(whole, consecutive=2)),
        ("rpc.error_ratio < 1%", whole),
        ("rpc.latency_seconds.p95 < 500ms", replace(whole, severity="warn")),
        (
            f"stall.quiet_seconds.max < {quiet_seconds}s",
            replace(whole, severity="warn"),
        ),
        ("references.agreeing_operators.min >= 2", replace(whole, severity="warn")),
    )
