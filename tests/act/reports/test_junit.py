"""JUnit, read back by a parser that is not ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from monitor.act.reports.junit import junit
from tests.act.reports.told import RUNS, healthy, troubled


def cases(text: str, path: Path) -> dict[tuple[str, str], TestCase]:
    """Every test case by classname and name, as junitparser reads them from a file."""
    path.write_text(text, encoding="utf-8")
    suites = JUnitXml.fromfile(str(path))
    return {(case.classname, case.name): case for suite in suites for case in suite}


def test_failed_is_a_failure_and_blind_an_error(tmp_path: Path) -> None:
    """A pipeline tells guilt from blindness; a warning passes with its words."""
    found = cases(junit(troubled()), tmp_path / "junit.xml")
    outcomes = {key: [type(one) for one in case.result] for key, case in found.items()}
    local = "node:local"
    assert outcomes["headwatch.head", local] == [Failure]
    assert outcomes["headwatch.fork", local] == [Error]
    assert outcomes["headwatch.txpool", local] == [Skipped]
    assert outcomes["headwatch.peers", local] == []
    assert outcomes["headwatch.identity", local] == []
    assert "warning: behind" in found["headwatch.peers", local].system_out
    rules = "headwatch.rules_of_deploy"
    assert outcomes[rules, "rpc.error_ratio < 1%"] == [Failure]
    assert outcomes[rules, "ledger.differences.count == 0"] == [Error]
    assert outcomes[rules, "head.lag_blocks.max < 3"] == []


@pytest.mark.parametrize("run", RUNS)
def test_counts_are_those_of_the_cases(run: str, tmp_path: Path) -> None:
    """Of every suite and of all together: servers show the attributes and not the sums."""
    path = tmp_path / "junit.xml"
    path.write_text(junit(RUNS[run]), encoding="utf-8")
    document = JUnitXml.fromfile(str(path))
    said = (document.tests, document.failures, document.errors, document.skipped)
    suites = list(document)
    for suite in suites:
        before = (suite.tests, suite.failures, suite.errors, suite.skipped)
        suite.update_statistics()  # type: ignore[no-untyped-call]
        assert before == (suite.tests, suite.failures, suite.errors, suite.skipped)
    assert said == tuple(
        sum(getattr(suite, name) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    )


def test_unsupported_is_skipped(tmp_path: Path) -> None:
    """It is listed, so that nobody takes it for checked."""
    found = cases(junit(healthy()), tmp_path / "junit.xml")
    (skipped,) = found["headwatch.peers", "node:local"].result
    assert isinstance(skipped, Skipped)


def test_case_names_file_and_line_where_there_is_one() -> None:
    """One-off use points to no file."""
    assert 'file="deploy/head,watch.yaml" line="7"' in junit(troubled())
    assert "file=" not in junit(RUNS["blind"])
