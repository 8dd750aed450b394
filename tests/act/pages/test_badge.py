from __future__ import annotations

from xml.etree import ElementTree as Tree

import pytest

from monitor.act.pages.badge import COLOURS, LABEL_COLOUR, LEVELS, badge_svg
from monitor.model import Level

SVG = "{http://www.w3.org/2000/svg}"


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(p * weight for p, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


@pytest.mark.parametrize("level", Level)
def test_badge_says_label_and_word_also_to_who_does_not_see(level: Level) -> None:
    """The words are there as text and as a name; colour says nothing that they do not."""
    root = Tree.fromstring(badge_svg("local", level.word, level))  # noqa: S314 - made here
    assert root.get("role") == "img"
    assert root.get("aria-label") == f"local: {level.word}"
    assert [text.text for text in root.iter(f"{SVG}text")] == ["local", level.word]


def test_badge_has_nothing_from_elsewhere() -> None:
    """No font, script, style or picture is fetched for it."""
    text = badge_svg("local", "ok", Level.OK)
    assert "href" not in text
    assert "style" not in text
    assert "url(" not in text
    assert text.count("http") == 1  # the name of the format


def test_badge_of_hostile_words_is_still_a_picture() -> None:
    """A name is text, whatever it holds."""
    hostile = "</svg><script>\"'&"
    root = Tree.fromstring(badge_svg(hostile, hostile, Level.FAILED))  # noqa: S314 - made here
    assert root.get("aria-label") == f"{hostile}: {hostile}"
    assert {child.tag for child in root.iter()} == {
        f"{SVG}{name}" for name in ("svg", "title", "rect", "path", "g", "text")
    }


def test_badge_can_be_read_on_its_colours() -> None:
    """White on every ground has the contrast that WCAG asks of small text, 4.5."""
    for colour in (LABEL_COLOUR, *COLOURS.values()):
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5, colour


def test_badge_is_as_wide_as_its_words() -> None:
    """A long name gets the room that it needs."""
    narrow, wide = (
        int(Tree.fromstring(badge_svg(name, "ok", Level.OK)).get("width", ""))  # noqa: S314
        for name in ("a", "a-node-with-a-long-name")
    )
    assert wide > narrow + 100
    assert set(LEVELS) == {"pass", "fail", "inconclusive"}
