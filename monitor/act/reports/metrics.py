"""The gate's numbers as an OpenMetrics text: what GitLab compares between two runs. Pure."""

from __future__ import annotations

from collections import Counter

from monitor.act.exposition import Block, Labels, number, page
from monitor.act.reports.told import Told
from monitor.canary.comparison import OUTCOMES
from monitor.conformance.outcome import by_method

LEVEL = Labels(("check", "network", "subject"))
MEASURED = Labels(("check", "network", "subject", "unit"))
COMPARISON = Labels(("check", "subject"))
FILES = Labels(("method", "outcome"))
RULE = Labels(("gate", "rule", "over_seconds", "consecutive", "subject"))
"""With all that a rule's value depends on: rules that are alike in it have the same value."""
WORD = Labels(("verdict",))
WORDS = ("pass", "fail", "inconclusive")


def openmetrics(told: Told) -> str:
    """Levels, what was measured, and the values of rules. A value that was not seen has none."""
    verdicts = Block("headwatch_gate_verdict", "Whether this is the verdict.", "gauge", "")
    for word in WORDS:
        labels = WORD.text((word,))
        verdicts.lines.append(f"headwatch_gate_verdict{labels} {int(word == told.word)}\n")
    levels = Block(
        "headwatch_gate_finding_level",
        "What was found: 0 ok, 1 unknown, 2 degraded, 3 failed.",
        "gauge",
        "",
    )
    measured = Block("headwatch_gate_measured", "What a check has measured.", "gauge", "")
    for finding in told.verdict.findings:
        names = (finding.check, finding.network, finding.subject)
        levels.lines.append(
            f"headwatch_gate_finding_level{LEVEL.text(names)} {number(float(finding.level))}\n"
        )
        if finding.measured is not None:
            text = MEASURED.text((*names, finding.unit))
            measured.lines.append(f"headwatch_gate_measured{text} {number(finding.measured)}\n")
    values = Block("headwatch_gate_rule_value", "The value that a rule was held to.", "gauge", "")
    for result in told.results:
        if result.actual is not None and told.ruling is not None:
            options = result.rule.options
            over = "" if options.over_seconds is None else f"{options.over_seconds:g}"
            held_to = (result.rule.text, over, str(options.consecutive), result.subject)
            text = RULE.text((told.ruling.name, *held_to))
            line = f"headwatch_gate_rule_value{text} {number(result.actual)}\n"
            if line not in values.lines:
                values.lines.append(line)
    compared = Block(
        "headwatch_gate_comparison_outcome",
        "What a canary run compared: 0 pass, 1 skipped, 2 warn, 3 unknown, 4 fail.",
        "gauge",
        "",
    )
    for one in told.comparisons:
        text = COMPARISON.text((one.check, one.subject))
        rank = len(OUTCOMES) - 1 - OUTCOMES.index(one.outcome)
        compared.lines.append(f"headwatch_gate_comparison_outcome{text} {rank}\n")
    files = Block(
        "headwatch_gate_conformance_files",
        "How many vectors of a method came to this.",
        "gauge",
        "",
    )
    tried = () if told.conformance is None else told.conformance.files
    for method, members in by_method(tried).items():
        for outcome, count in Counter(one.outcome for one in members).items():
            text = FILES.text((method, outcome))
            files.lines.append(f"headwatch_gate_conformance_files{text} {count}\n")
    every = (verdicts, levels, measured, values, compared, files)
    blocks = [block for block in every if block.lines]
    return page(blocks, openmetrics=True).decode()
