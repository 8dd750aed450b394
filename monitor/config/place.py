"""Where what must outlive a restart is kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from monitor.config.settings import Settings

SYSTEM = Path("/var/lib/headwatch")


def data_directory(settings: Settings, env: Mapping[str, str]) -> Path:
    """`data_dir`, or the system's usual place.

    That is the first of systemd's `STATE_DIRECTORY`; for root `/var/lib/headwatch`; for others
    `XDG_STATE_HOME`, by default `~/.local/state` (XDG Base Directory Specification 0.8).
    """
    if settings.data_dir is not None:
        return settings.data_dir
    by_systemd = env.get("STATE_DIRECTORY", "").split(":")[0]
    if by_systemd:
        return Path(by_systemd)
    if os.geteuid() == 0:
        return SYSTEM
    state = env.get("XDG_STATE_HOME", "")
    # The specification ignores relative paths.
    base = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "headwatch"
