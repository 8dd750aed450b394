"""GitLab's code quality report."""

from __future__ import annotations

import json

from monitor.act.reports.codequality import codequality
from tests.act.reports.told import healthy, troubled


def test_issues_have_the_fields_that_gitlab_reads() -> None:
    """Each once, the worst first, with a severity of its list."""
    issues = json.loads(codequality(troubled()))
    assert len(issues) == len(troubled().worst())
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["lines"]["begin"] >= 1
    assert issues[0]["severity"] == "critical"


def test_issues_of_health_are_an_empty_list() -> None:
    """GitLab compares with it."""
    assert json.loads(codequality(healthy())) == []
