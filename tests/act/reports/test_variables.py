"""Variables for what runs later."""

from __future__ import annotations

import re
from dataclasses import replace

from monitor.act.reports.variables import dotenv, github_output
from tests.act.reports.told import healthy, troubled


def read(text: str) -> dict[str, str]:
    """The outputs of a $GITHUB_OUTPUT file, as the runner reads it."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, heredoc, mark = line.partition("<<")
        if heredoc and "=" not in name:
            found[name] = "\n".join(iter(lambda: next(lines), mark))
        else:
            name, _, found[name] = line.partition("=")
            found[name] = line.partition("=")[2]
    return found


def test_outputs_are_the_verdict_its_counts_and_a_sentence() -> None:
    """As later steps ask for them: `steps.gate.outputs.verdict`."""
    found = read(github_output(troubled()))
    assert found["verdict"] == "fail"
    assert found["ok"] == "false"
    assert (found["failed"], found["blind"], found["warned"]) == ("2", "2", "2")
    assert found["summary"] == troubled().headline
    assert read(github_output(healthy()))["ok"] == "true"


def test_output_of_a_name_that_looks_like_an_output_sets_nothing() -> None:
    """A node may be named so that its sentence spells another output."""
    told = troubled()
    findings = tuple(replace(f, subject="node:x\nverdict=pass") for f in told.verdict.findings)
    told = replace(told, verdict=replace(told.verdict, findings=findings))
    assert read(github_output(told))["verdict"] == "fail"


def test_dotenv_is_what_gitlab_accepts() -> None:
    """Names of letters and underscores, values without spaces or quotes."""
    for line in dotenv(troubled()).splitlines():
        assert re.fullmatch(r"[A-Z_]+=[a-z0-9]+", line)
    assert "HEADWATCH_VERDICT=fail\n" in dotenv(troubled())
    assert "HEADWATCH_OK=true\n" in dotenv(healthy())
