from __future__ import annotations

import re
import struct

import pytest

from tests.browser.shots import BYTES_MAX, DIRECTORY, SHOTS

ROOT = DIRECTORY.parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def test_screenshots_are_those_that_are_made() -> None:
    """No picture is missing, and none is left of a page that is no more."""
    assert {path.name for path in DIRECTORY.iterdir()} == {f"{name}.png" for name in SHOTS}


@pytest.mark.parametrize("name", SHOTS)
def test_screenshot_has_the_size_of_its_screen(name: str) -> None:
    """It is a PNG of the screen that it stands for, and small enough to be committed."""
    picture = (DIRECTORY / f"{name}.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (SHOTS[name].width, SHOTS[name].height)
    assert len(picture) <= BYTES_MAX


def test_screenshots_are_shown() -> None:
    """Every picture can be reached from a page of the documentation."""
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert set(re.findall(r"screenshots/([a-z0-9-]+)\.png", text)) == set(SHOTS)
