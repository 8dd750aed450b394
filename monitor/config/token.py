"""Bearer tokens, which are in files of their own."""

from __future__ import annotations

from pathlib import Path

from monitor.config.problems import ConfigError, Problem


def read_token(path: Path, setting: str = "http.token_file") -> str:
    """The bearer token in a file. Raises ConfigError; an empty token would admit everybody."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError([Problem(str(path), 0, setting, f"cannot be read: {why}")]) from None
    if not token:
        raise ConfigError([Problem(str(path), 0, setting, "is empty")])
    return token
