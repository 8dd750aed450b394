"""The package's own JSON: code and ABI of each contract, and what is no such thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.lab.errors import LabError
from monitor.lab.poco.artifacts import creation_code, signatures
from monitor.lab.tools import POCO_ARTIFACTS


@pytest.mark.parametrize("name", POCO_ARTIFACTS)
def test_artifact_of_each_contract_has_code_and_functions(poco_path: Path, name: str) -> None:
    """The token's is of an older kind of truffle, and read like the others."""
    assert len(creation_code(poco_path, name)) > 1000
    assert signatures(poco_path, name)
    assert signatures(poco_path, name, "event")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<<<<<<< Updated upstream\n{}", "is no artifact of iexec-poco"),
        ('{"bytecode": "0x00"}', "is no artifact of iexec-poco.*abi"),
        ('{"abi": [], "bytecode": "0x__IexecLib__"}', "not hexadecimal: is it unlinked"),
    ],
)
def test_artifact_that_is_none_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """Conflict markers, missing parts and unlinked libraries are named with the file."""
    (tmp_path / "Odd.json").write_text(text)
    with pytest.raises(LabError, match=f"Odd.*{complaint}"):
        creation_code(tmp_path, "Odd")
