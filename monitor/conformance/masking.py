"""Answers without what they echo of a node's URL, which may hold a key. Pure."""

from __future__ import annotations

import json
import re

from monitor.canary.differences import Json
from monitor.url import Url

MASK = "***"
"""What stands in the place of a key."""
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def masked(result: bytes, url: Url) -> bytes | None:
    """A result without any part of this URL that may be a key; None where it holds none.

    Its texts and numbers are masked as they are read: JSON may write any character of a key as an
    escape. What cannot be read as JSON is shown as it is written, and masked as that.
    """
    try:
        value = json.loads(result)
        clean = _clean(value, url)
        return None if clean == value else json.dumps(clean).encode()
    except (ValueError, RecursionError):
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), result.decode(errors="replace"))
        shown = _masked(text, url)
        return None if shown is None else shown.encode(errors="replace")


def _clean(value: Json, url: Url) -> Json:
    if isinstance(value, dict):
        return {_masked(key, url) or key: _clean(item, url) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, url) for item in value]
    if value is None or isinstance(value, bool):
        return value
    shown = _masked(value if isinstance(value, str) else json.dumps(value), url)
    return value if shown is None else shown


def _masked(text: str, url: Url) -> str | None:
    """The text with its keys masked; None where there are none, since more is changed with them."""
    clean = url.scrub(text, len(text))
    return None if clean.count(MASK) == text.count(MASK) else clean
