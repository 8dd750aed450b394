"""SARIF 2.1.0 (OASIS), for code scanning: what is wrong, at the line that configured it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from monitor.act.reports.told import Point, Told
from monitor.act.words import rfc3339

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"failed": "error", "blind": "error", "warned": "warning", "unseen": "note"}
UNNAMED = "headwatch.yaml"
"""Where a result lies that no file configured: code scanning wants a place."""
DOCUMENTATION = "https://headwatch.example.org/docs/checks.md"
Json = Mapping[str, object]


def sarif(told: Told) -> str:
    """One run; a rule for each kind of trouble met, a result for each point that is not well.

    An inconclusive verdict is an execution that was not successful: a scan that saw nothing must
    not close what an earlier one has found.
    """
    worst = told.worst()
    slugs = list(dict.fromkeys(point.slug for point in worst))
    titles = {point.slug: point.title for point in worst}
    run = {
        "tool": {
            "driver": {
                "name": "headwatch",
                "semanticVersion": told.version,
                "rules": [_rule(slug, titles[slug]) for slug in slugs],
            }
        },
        "invocations": [
            {
                "executionSuccessful": told.word != "inconclusive",
                "endTimeUtc": rfc3339(told.verdict.at),
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": point.summary}}
                    for point in worst
                    if point.state == "blind"
                ],
            }
        ],
        "results": [_result(point, told, slugs.index(point.slug)) for point in worst],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(slug: str, title: str) -> Json:
    check = slug.partition("/")[0]
    return {
        "id": slug,
        "shortDescription": {"text": title},
        "helpUri": f"{DOCUMENTATION}#{check}",
    }


def _result(point: Point, told: Told, index: int) -> Json:
    fingerprint = hashlib.sha256(f"{point.suite}\n{point.name}".encode()).hexdigest()
    text = f"{point.name}: {point.summary}"
    return {
        "ruleId": point.slug,
        "ruleIndex": index,
        "level": LEVELS[point.state],
        "message": {"text": f"{text}\n{point.detail}" if point.detail else text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": point.file or told.file or UNNAMED},
                    "region": {"startLine": point.line},
                },
                "logicalLocations": [{"fullyQualifiedName": point.name, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"headwatch/v1": fingerprint},
    }
