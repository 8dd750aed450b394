"""JUnit XML, as Jenkins, GitLab, GitHub's reporters and Buildkite read it. Pure.

A check or rule that failed is a `failure`; one that could not be judged, and so decides that
nothing can be said, an `error`: a pipeline that shows both alike would take blindness for guilt.
What is not supported, or blind and without weight, is `skipped`; a warning passes, with its words.
"""

from __future__ import annotations

import re
from itertools import groupby
from xml.etree import ElementTree as ET

from monitor.act.reports.told import Point, Told
from monitor.act.words import rfc3339

UNWRITABLE = re.compile("[^\\t\\n\\x20-\\x7e\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
OUTCOMES = {"failed": "failure", "blind": "error", "unseen": "skipped", "skipped": "skipped"}


def junit(told: Told) -> str:
    """One `testsuite` a check, and one for the rules; a `testcase` for each subject or rule."""
    root = ET.Element("testsuites", name="headwatch gate")
    points = sorted(told.points(), key=lambda point: point.suite)
    for suite, members in groupby(points, key=lambda point: point.suite):
        _suite(root, told, suite, list(members))
    skipped = told.verdict.skipped
    if skipped:
        suite_of_skipped = _opened(root, told, "not supported", len(skipped))
        for check, subject in skipped:
            case = ET.SubElement(
                suite_of_skipped, "testcase", classname=f"headwatch.{check}", name=_xml(subject)
            )
            ET.SubElement(case, "skipped", message="this endpoint does not support it")
        suite_of_skipped.set("skipped", str(len(skipped)))
    for outcome, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        root.set(count, str(len(root.findall(f".//{outcome}"))))
    root.set("tests", str(len(root.findall(".//testcase"))))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _opened(root: ET.Element, told: Told, name: str, tests: int) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", name=_xml(name), tests=str(tests))
    suite.set("timestamp", rfc3339(told.verdict.at))
    for count in ("failures", "errors", "skipped"):
        suite.set(count, "0")
    return suite


def _suite(root: ET.Element, told: Told, name: str, points: list[Point]) -> None:
    suite = _opened(root, told, name, len(points))
    counts = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    for point in points:
        classname = f"headwatch.{point.suite.replace(' ', '_')}"
        case = ET.SubElement(suite, "testcase", classname=_xml(classname), name=_xml(point.name))
        if point.file or told.file:
            case.set("file", _xml(point.file or told.file))
            case.set("line", str(point.line))
        outcome = OUTCOMES.get(point.state)
        if outcome is not None:
            ending = ET.SubElement(case, outcome, message=_xml(point.summary), type=point.slug)
            ending.text = _xml(point.detail) or None
            suite.set(counts[outcome], str(int(suite.get(counts[outcome], "0")) + 1))
        elif point.state == "warned":
            lines = f"warning: {point.summary}\n{point.detail}"
            ET.SubElement(case, "system-out").text = _xml(lines)


def _xml(text: str) -> str:
    """Without the characters that XML 1.0 has no way to write (2.2), nor C1 controls."""
    return UNWRITABLE.sub("", text)
