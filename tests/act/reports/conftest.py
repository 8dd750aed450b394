"""Schemas of others that reports are held against, fetched once and by digest."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from monitor.lab.tools import check_integrity

PACKAGE = "@microsoft/jest-sarif@1.0.0-beta.0"
INTEGRITY = (
    "sha512-A1fOhPd6Ic5iDk4F9YPw1qNB4XF+7+IviR7xl8r2F6QzQkx5cpY9LsGk2rExiFIE"
    "cBbjpVnSmwWGBukASkiQ9A=="
)
MEMBER = "package/lib/schemas/sarif-2.1.0-rtm.5.json"
FETCH_SECONDS_MAX = 120.0
KEPT = Path(__file__).parents[3] / ".tools" / "sarif-2.1.0.json"


@pytest.fixture(scope="session")
def sarif_schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """OASIS' JSON schema of SARIF 2.1.0; without npm it fails in CI and skips elsewhere."""
    if not KEPT.is_file():
        npm = shutil.which("npm")
        if npm is None:
            said = f"npm is needed to fetch {PACKAGE}"
            if os.environ.get("CI"):
                pytest.fail(said)
            pytest.skip(said)
        folder = tmp_path_factory.mktemp("sarif")
        subprocess.run([npm, "pack", PACKAGE], cwd=folder, check=True, timeout=FETCH_SECONDS_MAX)
        (package,) = folder.glob("*.tgz")
        check_integrity(package, INTEGRITY)
        with tarfile.open(package) as archive:
            member = archive.extractfile(MEMBER)
            assert member is not None
            part = folder / "schema.json"
            part.write_bytes(member.read())
        KEPT.parent.mkdir(exist_ok=True)
        shutil.copy(part, KEPT.with_suffix(f".{os.getpid()}"))
        KEPT.with_suffix(f".{os.getpid()}").replace(KEPT)
    return json.loads(KEPT.read_text(encoding="utf-8"))
