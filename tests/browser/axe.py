"""axe-core, which finds what keeps people with disabilities from using a page.

`python -m tests.browser.axe` fetches it by name, version and integrity below `.tools/`; tests do so
by themselves where npm can.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from monitor.lab.errors import LabError
from monitor.lab.tools import _extract, _pack, check_integrity

VERSION = "4.14.1"
INTEGRITY = (
    "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVG"
    "tQ=="
)
DIRECTORY = Path(__file__).resolve().parents[2] / ".tools"


def fetch(directory: Path = DIRECTORY) -> Path:
    """The script, fetched unless it is there. Raises LabError."""
    target = directory / f"axe-core-{VERSION}" / "axe.min.js"
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=".fetch-") as scratch:
        package = _pack(f"axe-core@{VERSION}", Path(scratch))
        check_integrity(package, INTEGRITY)
        script = Path(scratch) / "axe.min.js"
        _extract(package, "package/axe.min.js", script)
        script.replace(target)
    return target


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{fetch()}\n")
    except LabError as error:
        sys.exit(str(error))
