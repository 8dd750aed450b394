"""What developers and pipelines run: Makefile, workflows, lock, and the programs they fetch."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import debian
from tests.debian import MissingProgramError, fetch, tool

ROOT = Path(__file__).resolve().parent.parent
MAKE = shutil.which("make") or "make"
SETUP_AGAIN_SECONDS_MAX = 2.0
ALONE = {"MAKEFLAGS": "", "MAKELEVEL": "", "MFLAGS": ""}
"""The environment of a `make` that does not know it was started below another."""
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def run(
    *command: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


# -- workflows and the pipeline ------------------------------------------------------------------


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_is_valid_and_pins_its_actions(path: Path) -> None:
    """A workflow is what its service accepts, and every action in it is one commit."""
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema")
    done = run(*check, "vendor.github-workflows", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    text = path.read_text(encoding="utf-8")
    actions = re.findall(r"uses: *(.+)", text)
    assert actions
    for action in actions:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", action), action
    assert "\npermissions: {}\n" in text
    assert text.count("timeout-minutes:") == text.count("runs-on:")


def test_pipeline_runs_make_test_and_can_be_run() -> None:
    """`.ci/run` is a program that stops at the first failure, and `make test` is what it runs."""
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert run("bash", "-n", str(script)).returncode == 0
    lines = script.read_text(encoding="utf-8").splitlines()
    assert "set -euo pipefail" in lines
    assert lines[-1] == "make test"


# -- the Makefile --------------------------------------------------------------------------------


def test_makefile_help_lists_every_target_of_the_contract() -> None:
    """`make` alone says what there is."""
    done = run(MAKE)
    assert done.returncode == 0, done.stderr
    listed = set(re.findall(r"(?m)^  make (\S+)", done.stdout))
    assert listed >= {"setup", "demo", "test", "test-wide", "bench", "lint", "lock", "clean"}


def test_makefile_setup_without_a_python_says_so_in_one_line(tmp_path: Path) -> None:
    """A missing or old Python is named before anything is made, even where a shim answers to it."""
    for program in ("bash", "grep", "rm"):
        (tmp_path / program).symlink_to(shutil.which(program) or program)
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\necho 'no such version' >&2\nexit 127\n")
    shim.chmod(0o755)
    venv = tmp_path / "venv"
    done = run(MAKE, f"VENV={venv}", "setup", env={**ALONE, "PATH": str(tmp_path)})
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if "***" not in line]
    assert said == ["make setup: needs Python 3.11 or newer with its venv module (python3-venv)"]
    assert not venv.exists()


@pytest.mark.wide
def test_makefile_setup_in_a_fresh_clone_works_and_is_quick_again(tmp_path: Path) -> None:
    """A clone needs nothing of its user, not even after an interrupted first try."""
    clone, home = tmp_path / "clone", tmp_path / "home"
    home.mkdir()
    assert run("git", "clone", "-q", str(ROOT), str(clone)).returncode == 0
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").write_text("half of a program")
    environment = {**ALONE, "HOME": str(home)}
    done = run(MAKE, "setup", cwd=clone, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    began = time.monotonic()
    assert run(MAKE, "setup", cwd=clone, env=environment).returncode == 0
    assert time.monotonic() - began < SETUP_AGAIN_SECONDS_MAX
    assert run(str(clone / ".venv/bin/headwatch"), "--version", cwd=tmp_path).returncode == 0


# -- the lock ------------------------------------------------------------------------------------


def locked() -> dict[str, str]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(
        r"(?m)^([\w.-]+)==([^ ;\\]+).*\\\n((?: +--hash=sha256:[0-9a-f]{64}.*\n)+)", text
    )
    found = {canonicalize_name(name): version for name, version, _ in entries}
    assert len(re.findall(r"(?m)^[\w.-]+==", text)) == len(entries), "a package without a hash"
    return {str(name): version for name, version in found.items()}


def test_lock_holds_what_the_project_asks_for() -> None:
    """After a change of dependencies, `make lock` was run; every package comes with its hashes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = list(project["project"]["dependencies"])
    wanted += [one for group in project["dependency-groups"].values() for one in group]
    versions = locked()
    for requirement in map(Requirement, wanted):
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not in requirements.lock"
        assert requirement.specifier.contains(version), f"{requirement}, locked at {version}"


def test_lock_names_no_place_that_packages_come_from() -> None:
    """Where packages come from is the choice of whoever installs them."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"(?m)^ *--(?!hash=)", text)


# -- programs out of Debian's packages -----------------------------------------------------------

FAKES = {
    "apt-get": """\
        echo "$*" >> "$LOG"
        case "$*" in
          *update) sleep 0.2 ;;
          *download*) [ -z "$BROKEN" ] || { echo "404 not found"; exit 100; }
                      : > "${!#}_1_amd64.deb" ;;
        esac""",
    "apt-cache": '[[ "${!#}" = prometheus?(-alertmanager) ]] || exit 100',
    "dpkg": """\
        mkdir -p "$3/usr/bin"
        names="prometheus promtool"
        case "$2" in *alertmanager*) names="prometheus-alertmanager amtool" ;; esac
        for name in $names; do
          printf '#!/bin/sh\\n' > "$3/usr/bin/$name"; chmod +x "$3/usr/bin/$name"
        done""",
}


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a stand-in for apt was asked; it knows two packages, of two programs each."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for name, script in FAKES.items():
        (bin_ / name).write_text(f"#!/bin/bash\n{script}\n")
        (bin_ / name).chmod(0o755)
    path = tmp_path / "log"
    path.write_text("")
    monkeypatch.setenv("PATH", f"{bin_}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(path))
    monkeypatch.setenv("BROKEN", "")
    for program in debian.PROGRAMS.values():
        monkeypatch.delenv(program.variable, raising=False)
    return path


def updates(log: Path) -> int:
    return sum(line.endswith("update") for line in log.read_text().splitlines())


def test_fetch_again_asks_nobody(log: Path, tmp_path: Path) -> None:
    """All programs come with one update; a second fetch is over at once."""
    fetch(debian.PROGRAMS, tmp_path / "tools")
    asked = log.read_text()
    fetch(debian.PROGRAMS, tmp_path / "tools")
    assert log.read_text() == asked
    assert updates(log) == 1
    files = {
        "prometheus": "prometheus/usr/bin/prometheus",
        "promtool": "prometheus/usr/bin/promtool",
        "alertmanager": "prometheus-alertmanager/usr/bin/prometheus-alertmanager",
        "amtool": "prometheus-alertmanager/usr/bin/amtool",
    }
    assert set(files) == set(debian.PROGRAMS)
    for name, file in files.items():
        assert tool(name, tmp_path / "tools") == tmp_path / "tools" / file


def test_fetch_at_once_by_many_is_one_fetch(log: Path, tmp_path: Path) -> None:
    """Whoever comes second waits for the first and finds what it left."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fetch(debian.PROGRAMS, tmp_path / "tools"), range(4)))
    assert updates(log) == 1


def test_fetch_after_an_interruption_takes_nothing_half(log: Path, tmp_path: Path) -> None:
    """What an interrupted run left is removed, and the fetch is made anew."""
    half = tmp_path / "tools" / ".fetch-half" / "trees" / "prometheus" / "usr"
    half.mkdir(parents=True)
    with pytest.raises(MissingProgramError):
        tool_without_path("promtool", tmp_path / "tools")
    fetch(["promtool"], tmp_path / "tools")
    assert not half.exists()
    assert sorted(path.name for path in (tmp_path / "tools").iterdir()) == [".lock", "prometheus"]


def tool_without_path(name: str, directory: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")
        return tool(name, directory)


def test_fetch_that_fails_says_what_apt_said_and_leaves_nothing(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is apt's own, and the next try starts from nothing."""
    monkeypatch.setenv("BROKEN", "yes")
    with pytest.raises(MissingProgramError, match=r"download prometheus ended with 100:\n.*404"):
        fetch(["promtool"], tmp_path / "tools")
    assert [path.name for path in (tmp_path / "tools").iterdir()] == [".lock"]
    assert updates(log) == 1


def test_tool_named_by_its_variable_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A developer's own program wins; one that is none is an error and not passed over."""
    monkeypatch.setenv("PROMTOOL_BIN", sys.executable)
    assert tool("promtool", tmp_path) == Path(sys.executable)
    monkeypatch.setenv("PROMTOOL_BIN", str(tmp_path))
    with pytest.raises(MissingProgramError, match=r"PROMTOOL_BIN names .* not a program"):
        tool("promtool", tmp_path)


def test_promtool_of_the_fixture_runs(promtool: Path) -> None:
    """The program that the alerts and metrics are checked with is there, in CI at the least."""
    done = run(str(promtool), "--version")
    assert done.returncode == 0, done.stderr
    assert "promtool, version" in done.stdout + done.stderr


def test_amtool_of_the_fixture_runs(amtool: Path) -> None:
    """The program that routes are checked with is there, in CI at the least."""
    done = run(str(amtool), "--version")
    assert done.returncode == 0, done.stderr
    assert "amtool, version" in done.stdout + done.stderr


async def test_alertmanager_of_the_fixture_starts(alertmanager: Path, tmp_path: Path) -> None:
    """The server that messages are proved against runs where it was unpacked, under its own pid."""
    (tmp_path / "am.yml").write_text("route: {receiver: a}\nreceivers: [{name: a}]\n")
    server = await asyncio.create_subprocess_exec(
        str(alertmanager),
        f"--config.file={tmp_path / 'am.yml'}",
        f"--storage.path={tmp_path}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
        stderr=asyncio.subprocess.PIPE,
    )
    assert server.stderr is not None
    said = b""
    try:
        async with asyncio.timeout(20):
            while b"Listening on" not in said and (line := await server.stderr.readline()):
                said += line
    finally:
        if server.returncode is None:
            server.terminate()
        await server.communicate()
    assert b"Listening on" in said, said.decode()
