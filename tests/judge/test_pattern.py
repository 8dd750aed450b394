"""Expressions of strangers mean what they mean to Go, and end in time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.pattern import DEPTH_MAX, PATTERN_CHARACTERS_MAX, Pattern

ADVISORIES = (
    r"Geth\/v1\.(6|7|8)\..*|Geth\/v1\.9\.\d-.*|Geth\/v1\.9\.1.*|Geth\/v1\.9\.2(0|1|2|3)-.*",
    r"Geth.*\/go1\.(11(.*)|12(.*)|13(.*)|14|14\.(\d|10|11|)|15|15\.[0-4])$",
    r"(Geth\/v1\.8\.*)|(Geth\/v1\.9\.\d-.*)|(Geth\/v1\.9\.(20|21|22|23|24)-.*)$",
)
"""Of the kinds that geth's advisories are written in."""
ATOMS = st.sampled_from(
    [
        "a",
        "b",
        ".",
        r"\d",
        r"\w",
        r"\s",
        r"\.",
        "[ab]",
        "[^a-c]",
        "[]b]",
        "[a-]",
        r"[\d_]",
        "-",
    ]
)
REPEATED = st.tuples(ATOMS, st.sampled_from(["", "", "*", "+", "?"])).map(
    "".join
) | st.sampled_from(["^", "$"])
EXPRESSIONS = st.recursive(
    REPEATED,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map("|".join),
        st.tuples(st.sampled_from(["(", "(?:"]), inner).map(lambda t: t[0] + t[1] + ")"),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(EXPRESSIONS, st.text("abc1_.- ]\n", max_size=8))
def test_expression_is_found_where_pythons_own_engine_finds_it(expression: str, text: str) -> None:
    """`$` is the end of the text, as it is to RE2, and not before a last line break."""
    theirs = re.compile(re.sub(r"(?<!\\)\$", r"\\Z", expression), re.ASCII)
    assert Pattern(expression).is_in(text) == (theirs.search(text) is not None)


@pytest.mark.parametrize("expression", ADVISORIES, ids=["versions", "compilers", "lists"])
@settings(deadline=None)
@given(st.integers(0, 30), st.integers(9, 16), st.integers(0, 12))
def test_advisory_is_found_in_versions_as_python_finds_it(
    expression: str, patch: int, go: int, go_patch: int
) -> None:
    """Every version of a range, with every compiler."""
    text = f"Geth/v1.9.{patch}-stable-6d8cb3c5/linux-amd64/go1.{go}.{go_patch}"
    theirs = re.search(expression.replace("$", r"\Z"), text) is not None
    assert Pattern(expression).is_in(text) == theirs


def test_expression_that_python_would_never_end_with_ends() -> None:
    """Time grows with the text, and not with the ways through the expression."""
    assert not Pattern("(a*)*b").is_in("a" * 800)
    assert not Pattern("(a|a)*(a|a)*(a|a)*b").is_in("a" * 300)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("(", "without its )"),
        ("a)", "a ) too many, at character 2"),
        ("[a", "without its ]"),
        ("[", "without its ]"),
        ("*a", "* is not known here"),
        ("a{2}", "{ is not known here"),
        ("a**", "repetition of a repetition"),
        ("a*?", "repetition of a repetition"),
        ("a+{2}", "repetition of a repetition"),
        (r"\b", r"\b is not known here"),
        (r"\1", r"\1 is not known here"),
        ("a\\", "\\ is not known here"),
        ("[[:alpha:]]", "[ in a class is not known here"),
        (r"[a\pL]", r"\p is not known here"),
        ("(?i)a", "? is not known here"),
        ("(?=a)", "? is not known here"),
        ("(" * (DEPTH_MAX + 1) + ")" * (DEPTH_MAX + 1), "groups in too many groups"),
        ("a" * (PATTERN_CHARACTERS_MAX + 1), "more than 1024 characters"),
    ],
    ids=range(18),
)
def test_expression_of_another_kind_is_refused(bad: str, said: str) -> None:
    """What is not known is never read as something else."""
    with pytest.raises(ValueError, match=re.escape(said)):
        Pattern(bad)


def test_expression_at_the_limits_is_read() -> None:
    """The last size and the last depth that are accepted."""
    assert not Pattern("a" * PATTERN_CHARACTERS_MAX).is_in("ba" * 20)
    assert Pattern("(" * DEPTH_MAX + "a" + ")" * DEPTH_MAX).is_in("ba")
    assert Pattern("").is_in("")
