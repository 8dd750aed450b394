"""GitLab's code quality report: what is wrong, in the merge request's widget. Pure.

The format is CodeClimate's, of which GitLab reads these fields.
"""

from __future__ import annotations

import hashlib
import json

from monitor.act.reports.sarif import UNNAMED
from monitor.act.reports.told import Told

SEVERITIES = {"failed": "critical", "blind": "major", "warned": "minor", "unseen": "info"}


def codequality(told: Told) -> str:
    """A list; empty where all is well. Fingerprints stay while a thing is wrong."""
    issues = [
        {
            "description": f"{point.name}: {point.summary}",
            "check_name": point.slug,
            "fingerprint": hashlib.sha256(f"{point.suite}\n{point.name}".encode()).hexdigest(),
            "severity": SEVERITIES[point.state],
            "location": {
                "path": point.file or told.file or UNNAMED,
                "lines": {"begin": point.line},
            },
        }
        for point in told.worst()
    ]
    return json.dumps(issues, indent=2) + "\n"
