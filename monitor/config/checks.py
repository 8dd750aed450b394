"""The settings of the checks that a verdict can do without: whether they are made, how often."""

from __future__ import annotations

from typing import Annotated

from monitor.config.kinds import Flag, Model, Seconds


class CheckSettings(Model):
    """One check beside the required ones, which are made in every round."""

    enabled: Flag = True
    """Whether it is made at all."""
    every_seconds: Annotated[float, Seconds(0.1, 86_400)] | None = None
    """How often its questions are asked, in seconds. Default: its own, in docs/checks.md."""
