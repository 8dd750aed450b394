"""A badge: a label and a word, drawn without fonts or pictures from elsewhere. Pure."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from monitor.model import Level, VerdictWord

LEVELS: Final[dict[VerdictWord, Level]] = {
    "pass": Level.OK,
    "inconclusive": Level.UNKNOWN,
    "fail": Level.FAILED,
}
COLOURS = {
    Level.OK: "#145c38",
    Level.UNKNOWN: "#4b3b8b",
    Level.DEGRADED: "#7a4d00",
    Level.FAILED: "#a3190e",
}
"""White words on each of them have a contrast of 7 or more."""
LABEL_COLOUR = "#3c434b"
HEIGHT = 20
PADDING = 6
NARROW, WIDE = frozenset("fijlrtI.,:;|!'()[]-/ "), frozenset("mwMW@%")


def badge_svg(label: str, word: str, level: Level) -> str:
    """The badge; the text is fitted to its box, whichever font there is."""
    left, right = _width(label), _width(word)
    first, second = left + 2 * PADDING, right + 2 * PADDING
    width = first + second
    name = quoteattr(f"{label}: {word}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" role="img" '
        f"aria-label={name}><title>{escape(label)}: {escape(word)}</title>"
        f'<rect width="{width}" height="{HEIGHT}" rx="3" fill="{LABEL_COLOUR}"/>'
        f'<path d="M{first} 0h{second - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{second - 3}z" '
        f'fill="{COLOURS[level]}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{PADDING}" y="14" textLength="{left}">{escape(label)}</text>'
        f'<text x="{first + PADDING}" y="14" textLength="{right}">{escape(word)}</text>'
        "</g></svg>\n"
    )


def _width(text: str) -> int:
    """Of a text of 11 pixels in Verdana, about."""
    pixels = sum(4.2 if c in NARROW else 10.5 if c in WIDE else 7.0 for c in text)
    return max(1, round(pixels))
