"""A job's summary: readable, harmless, and never too long."""

from __future__ import annotations

import re

from monitor.act.reports.markdown import BYTES_MAX, CUT, escaped, markdown
from tests.act.reports.told import HOSTILE, RUNS, endless, healthy, troubled


def test_summary_begins_with_the_verdict() -> None:
    """Who opens the job sees it first."""
    assert markdown(troubled()).startswith("## ❌ headwatch: fail\n")
    assert markdown(healthy()).startswith("## ✅ headwatch: pass\n")
    assert markdown(RUNS["blind"]).startswith("## ❔ headwatch: inconclusive\n")


def test_summary_lists_what_is_not_well_in_a_table() -> None:
    """One row each, with as many cells as the head has."""
    rows = [line for line in markdown(troubled()).splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(troubled().worst())
    for row in rows:
        assert row.replace("\\|", "").count("|") == 5
    assert "| | what" not in markdown(healthy())


def test_summary_holds_no_markup_of_a_node() -> None:
    """Its words are shown as they are, and are neither link, code nor HTML."""
    page = markdown(troubled())
    assert "<script>" not in page
    assert "](http" not in page
    assert escaped("a|b") == "a\\|b"
    assert "\n" not in escaped(HOSTILE)


def test_summary_holds_nothing_that_becomes_a_link_by_itself() -> None:
    """GFM makes one of `http://`, of `www.`, and of an address, whose `@` an escape leaves one."""
    for page in map(markdown, RUNS.values()):
        assert re.search(r"\w://|www\.|@[^<]", page, re.IGNORECASE) is None
    assert escaped("(http://a) www.b c@d") == r"\(http\://a\) www\.b c@<!-- -->d"
    assert escaped("at 12:30, 1.5 s") == "at 12:30, 1.5 s"


def test_summary_that_is_too_long_is_cut_at_a_line_and_says_so() -> None:
    """GitHub drops one above a mebibyte whole."""
    page = markdown(endless(2500))
    assert len(page.encode()) <= BYTES_MAX
    assert page.endswith(CUT)
    assert page.count("<details>") == page.count("</details>") > 0
    assert page.removesuffix(CUT).splitlines()[-1] == "</details>"
    assert CUT not in markdown(troubled())
