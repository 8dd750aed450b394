"""Programs for the tests, out of Debian packages, without root and without installing anything.

`python -m tests.debian` fetches what is missing. A package is downloaded by apt, which checks its
signature, and unpacked below `.tools/debian/NAME`; nothing of the system's own state is changed,
no service is started.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parent.parent / ".tools" / "debian"
FETCH_SECONDS_MAX = 300

# apt reads this after the system's own configuration, so that proxies and keys stay as they are.
# The hooks that are cleared belong to the system's cache (Docker's images, PackageKit). As root,
# apt would hand the download to a user who may not write below a private directory.
APT_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::DEP-11;
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State::lists "SCRATCH/lists";
Dir::Cache "SCRATCH/cache";
"""


@dataclass(frozen=True, slots=True)
class Program:
    """Where a program comes from."""

    variable: str
    """The environment variable that names another one."""
    packages: tuple[str, ...]
    """Packages that may hold it, the likeliest first; which one does depends on the release."""
    file: str = ""
    """The name of its file where that is another one."""
    share: str = ""
    """An absolute directory, compiled into it, that it cannot start without."""


PROGRAMS = {
    "prometheus": Program("PROMETHEUS_BIN", ("prometheus",)),
    # A package of its own since Debian 13; part of `prometheus` before.
    "promtool": Program("PROMTOOL_BIN", ("promtool", "prometheus")),
    # Debian's name for its file; elsewhere it is `alertmanager`, which its variable can name.
    "alertmanager": Program(
        "PROMETHEUS_ALERTMANAGER_BIN",
        ("prometheus-alertmanager",),
        "prometheus-alertmanager",
        share="/usr/share/prometheus/alertmanager",
    ),
    "amtool": Program("AMTOOL_BIN", ("prometheus-alertmanager",)),
}


class MissingProgramError(Exception):
    """There is no such program here; the message says what to do."""


def tool(name: str, directory: Path = DIRECTORY) -> Path:
    """The program: as its variable says, else as fetched, else as on the PATH."""
    program = PROGRAMS[name]
    named = os.environ.get(program.variable)
    if named:
        if _is_program(Path(named)):
            return Path(named)
        message = f"{program.variable} names {named}, which is not a program"
        raise MissingProgramError(message)
    fetched = _fetched(name, directory)
    if fetched:
        return fetched
    found = shutil.which(program.file or name) or shutil.which(name)
    if found:
        return Path(found)
    message = f"no {name}: run `python -m tests.debian`, or name one in {program.variable}"
    raise MissingProgramError(message)


def fetch(names: Iterable[str], directory: Path = DIRECTORY) -> None:
    """Fetch the packages of these programs, except of those that are there or named by a variable.

    Whoever comes second waits for the first. What an interrupted run left behind is removed, and
    never taken for a program. Raises MissingProgramError where there is no apt, or where it fails.
    """
    wanted = [name for name in names if not os.environ.get(PROGRAMS[name].variable)]
    if all(_fetched(name, directory) for name in wanted):
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        message = "no apt-get and dpkg on this system"
        raise MissingProgramError(message)
    directory.mkdir(parents=True, exist_ok=True)
    with _alone(directory):
        for leftover in directory.glob(".fetch-*"):
            shutil.rmtree(leftover)
        if all(_fetched(name, directory) for name in wanted):
            return
        with tempfile.TemporaryDirectory(dir=directory, prefix=".fetch-") as scratch:
            apt = Apt(Path(scratch))
            for name in wanted:
                if not _fetched(name, directory):
                    _unpack(apt, name, directory)


class Apt:
    """The system's apt with lists and a cache of its own, which end with the scratch directory."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        for folder in ("lists/partial", "cache/archives/partial", "downloads", "trees"):
            (scratch / folder).mkdir(parents=True)
        self._configuration = scratch / "apt.conf"
        self._configuration.write_text(APT_CONFIGURATION.replace("SCRATCH", str(scratch)))
        # Another source of this system may be out of reach; what counts is whether ours is found.
        self._update = self._run("apt-get", "update")

    def knows(self, package: str) -> bool:
        """Whether this release has that package."""
        return self._run("apt-cache", "show", package).returncode == 0

    def unpacked(self, package: str) -> Path:
        """Download and unpack one package; the folder it is in."""
        download = self._run("apt-get", "download", package)
        archives = list((self._scratch / "downloads").glob(f"{package}_*.deb"))
        if download.returncode != 0 or len(archives) != 1:
            raise MissingProgramError(self._words(f"apt-get download {package}", download))
        tree = self._scratch / "trees" / package
        unpack = _run(("dpkg", "-x", str(archives[0]), str(tree)), self._scratch)
        if unpack.returncode != 0:
            raise MissingProgramError(self._words(f"dpkg -x {archives[0].name}", unpack))
        return tree

    def unknown(self, packages: Sequence[str]) -> MissingProgramError:
        """No package of that name: what `apt-get update` said is the likeliest reason."""
        what = f"apt knows no {' or '.join(packages)}; apt-get update"
        return MissingProgramError(self._words(what, self._update))

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = (program, "-q", "-c", str(self._configuration), *arguments)
        return _run(command, self._scratch / "downloads")

    @staticmethod
    def _words(what: str, done: subprocess.CompletedProcess[str]) -> str:
        return f"{what} ended with {done.returncode}:\n{done.stdout[-800:]}"


def _unpack(apt: Apt, name: str, directory: Path) -> None:
    packages = PROGRAMS[name].packages
    package = next((package for package in packages if apt.knows(package)), None)
    if package is None:
        raise apt.unknown(packages)
    target = directory / package
    if not target.exists():
        # The last step is a rename within one directory: a package is there, or it is not.
        tree = apt.unpacked(package)
        for program in PROGRAMS.values():
            if program.share and package in program.packages:
                _relocate(tree, program)
        tree.rename(target)
    if not _fetched(name, directory):
        message = f"the package {package} holds no {name}"
        raise MissingProgramError(message)


def _relocate(tree: Path, program: Program) -> None:
    """Let a program find its share directory where it was unpacked, and not below `/usr`.

    Its path is replaced by one of the same length, that of an open file, and a script of its name
    opens the directory and becomes the program.
    """
    path = tree / "usr/bin" / program.file
    there, here = program.share.encode(), b"/proc/self/fd/9"
    binary = path.read_bytes()
    if there not in binary:
        return  # This release's finds it by itself.
    moved = path.with_name(f"{program.file}.moved")
    path.rename(moved)
    moved.write_bytes(binary.replace(there, here.ljust(len(there), b"/")))
    path.write_text(
        "#!/bin/sh\n"
        'usr=$(dirname "$(dirname "$0")")\n'
        f'exec 9<"$usr/{program.share.removeprefix("/usr/")}"\n'
        f'exec "$usr/bin/{moved.name}" "$@"\n'
    )
    path.chmod(moved.stat().st_mode)


def _fetched(name: str, directory: Path) -> Path | None:
    program = PROGRAMS[name]
    file = program.file or name
    paths = (directory / package / "usr/bin" / file for package in program.packages)
    return next((path for path in paths if _is_program(path)), None)


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One process at a time; the lock ends with its process, however that ends."""
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str], directory: Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            cwd=directory,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=FETCH_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"{command[0]} took more than {FETCH_SECONDS_MAX} s"
        raise MissingProgramError(message) from None


def main(names: Sequence[str]) -> int:
    """Fetch these programs, or all; one that is missing all the same is a failure in CI only."""
    names = names or tuple(PROGRAMS)
    try:
        fetch(names)
        reason = ""
    except MissingProgramError as error:
        reason = f": {error}"
    missing = False
    for name in names:
        try:
            print(f"{name}: {tool(name)}")
        except MissingProgramError:
            missing = True
            print(f"{name}: missing, so its tests are skipped{reason}", file=sys.stderr)
    return 1 if missing and os.environ.get("CI") else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
