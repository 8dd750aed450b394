"""What is said of maintenance on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor import cli
from monitor.commands.people import FLAGS, by_flag
from monitor.config import INITIAL
from monitor.maintenance import FIELDS
from tests.stack import free_port


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--for", "5"), "--for: found 5.0, expected 60 to 604800 seconds"),
        (("--for", "1h", "--node", "foo"), "--node: found 'foo', expected one of local"),
        (("--for", "1h", "--network", "foo"), "--network: found 'foo', expected one of ethereum"),
        (("--for", "1h", "--from", "yesterday"), "--from: found 'yesterday', expected seconds"),
        (("--for", "1h", "--actor", "a\nb"), "--actor: found 'a\\nb', expected one line"),
        (("--for", "1h", "--reason", " "), "--reason: found ' ', expected one line"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_window_that_is_refused_names_the_flag(
    words: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who typed it does not know the fields of the API."""
    config = tmp_path / "headwatch.yaml"
    config.write_text(
        f"data_dir: {tmp_path}\nhttp: {{listen: '127.0.0.1:{free_port()}'}}\n{INITIAL}"
    )
    arguments = ["maintenance", "add", "-c", str(config), "--reason", "update", *words]
    assert cli.main(arguments) == 2
    assert capsys.readouterr().err.startswith(f"headwatch: {said}")


def test_refusal_of_a_sidecar_names_the_flag_as_well() -> None:
    """And leaves every other word as it is."""
    said = "the sidecar refused: nodes: found 'nodes: x', expected one of nodes"
    assert by_flag(said) == "the sidecar refused: --node: found 'nodes: x', expected one of nodes"
    for other in ("there is no such window", "http.token_file cannot be read: nodes: x", "at: x"):
        assert by_flag(other) == other
    assert set(FLAGS) == set(FIELDS) - {"ends_at"}
