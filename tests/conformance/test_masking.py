"""What a node echoes of its URL is masked, however it is written, and nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.conformance.masking import MASK, masked
from monitor.url import Url

KEY = "K3y0123456789abcdef"
NUMBER = 12345678
URL = Url(f"http://node.example.org/v3/{KEY}?{NUMBER}")
ESCAPED = "".join(f"\\u{ord(c):04x}" for c in KEY)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (f'"{KEY}"', MASK),
        (f'"\\u004b{KEY[1:]}"', MASK),
        (f'"{ESCAPED}"', MASK),
        (f'{{"a": ["-{ESCAPED}-", 1, null, true]}}', {"a": [f"-{MASK}-", 1, None, True]}),
        (f'{{"{ESCAPED}": 1.5}}', {MASK: 1.5}),
        (f"[{NUMBER}, 1]", [MASK, 1]),
        (f"[1{NUMBER}, -{NUMBER}]", [f"1{MASK}", f"-{MASK}"]),
        (f'"\\ud800 {KEY}"', MASK),
    ],
)
def test_key_is_masked_in_texts_names_and_numbers(written: str, shown: Any) -> None:
    """As the reader of the report would see them, escapes undone."""
    clean = masked(written.encode(), URL)
    assert clean is not None
    assert json.loads(clean) == shown


@pytest.mark.parametrize(
    "written",
    ["1", "null", '"a  b\\n"', '{"a": ["***", {"b": false}]}', "[" * 100_000, "1" * 5_000, "{"],
    ids=lambda text: text[:12],
)
def test_result_without_a_key_is_left_as_it_came(written: str) -> None:
    """Spaces and line ends of a value are part of it."""
    assert masked(written.encode(), URL) is None


@pytest.mark.parametrize("deep", ["[" * 100_000, "1" * 5_000, "{"], ids=["deep", "long", "broken"])
@pytest.mark.parametrize("key", [KEY, ESCAPED, f"\\u004B{KEY[1:]}"])
def test_result_that_cannot_be_read_is_masked_as_it_is_written(deep: str, key: str) -> None:
    """Nobody reads its escapes but a person who looks."""
    clean = masked(f'["{key}", {deep}'.encode(), URL)
    assert clean is not None
    assert clean.startswith(f'["{MASK}", '.encode())
