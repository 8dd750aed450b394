"""Fetch and find the anvil and the contracts the lab is proven with. Standard library only.

Two versions of anvil may compute different state roots under one hard fork, so the version is
pinned, and a package is believed by its sha512 and not by its name. The same holds of the compiled
contracts of PoCo, which are fetched and never committed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from monitor.lab.errors import LabError

ANVIL_VERSION = "1.7.1"
FETCH_SECONDS_MAX = 300.0
BINARY_BYTES_MAX = 512 * 2**20

INTEGRITY = {
    "linux-amd64": (
        "sha512-+XmShybEaxfCrr0OUUZwYEy2OnYZt5pHH9TzBtLv3+VrK0O/ANuNSVEahqNhKHlgX7GRJ59383ofNhxk"
        "RWIYTg=="
    ),
    "linux-arm64": (
        "sha512-ykHJmFOGdBR8+9smOKBm9ZZDCCCkLQctiHOAddLvmYx9mPeBDMfq6jP51hKYsO5MG8ClPLSlWe+JpiXP"
        "joXgBQ=="
    ),
    "darwin-amd64": (
        "sha512-OgwzwY+FsGrsPyDv4mmbhOwARO8s37YHrm2qaNzgSH4VlKnXgJCrnoT7bpgOhLyBPtxXjBT8L2E3b79d"
        "eesXRg=="
    ),
    "darwin-arm64": (
        "sha512-JNeu3+A3f/npXLn8SR8EahVcqE7BpO9VQZMcPvSIy27/RNc1GsoEBvSLR99aSvt8sGKWAgNg/EzrtjAP"
        "q6mxcA=="
    ),
}
"""Platform -> `dist.integrity` of `@foundry-rs/anvil-PLATFORM` at `ANVIL_VERSION`: all that it is
published for. The lab has been run on linux-amd64."""
ANVIL_BEFORE = "1.5.1"
"""An older anvil, which computes other state roots under Prague: a real difference of versions."""
INTEGRITY_BEFORE = {
    "linux-amd64": (
        "sha512-17AQOAcW1/iLQ9batoTWNMDp6hcCvh5rH0f5fkEzvsiv50Sq6Q4jyyGB30YEdQnHFkkmmQNKsZz/R1Rh"
        "uyxJkg=="
    ),
}
"""The same of `ANVIL_BEFORE`, which was published for this platform alone."""

POCO_VERSION = "1.1.17"
POCO_INTEGRITY = (
    "sha512-zlzIz/Nsv73gvC39qCZyOe4LcQH1r6W0TEQBdC4IF6THPqFtwzD3/I0hcUEHjgiQh/b2rNoSqbq5Q0tJ"
    "UZOqLQ=="
)
"""`dist.integrity` of `iexec-poco` at `POCO_VERSION`."""
POCO_ARTIFACTS = (
    *("RLC", "IexecHub", "Marketplace", "WorkerPoolHub", "AppHub", "DatasetHub"),
    *("WorkerPool", "WorkOrder", "IexecAPI"),
)
"""What is deployed or called. IexecLib, MarketplaceAccessor, MarketplaceInterface, Migrations and
OwnableOZ of the package hold conflict markers and are no JSON; nobody needs them."""

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def platform_key() -> str:
    """This machine, in the words npm's anvil packages use: `linux-amd64`, `darwin-arm64`, ..."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}-{_MACHINES.get(machine, machine)}"


def anvil_path(directory: Path, version: str = ANVIL_VERSION) -> Path:
    """Where `fetch_anvil(directory, version)` puts the binary."""
    return directory / f"anvil-{version}" / "anvil"


def cache_directory() -> Path:
    """The per-user directory for tools, used where there is no repository around."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "headwatch"


def find_anvil() -> Path:
    """The anvil to use: `HEADWATCH_ANVIL`, the repository's, the user's, then the PATH's.

    Raises LabError, naming the remedy, where there is none.
    """
    named = os.environ.get("HEADWATCH_ANVIL")
    if named:
        if not _is_program(Path(named)):
            message = f"HEADWATCH_ANVIL names {named}, which is not a program"
            raise LabError(message)
        return Path(named)
    repository = Path(__file__).resolve().parents[2]
    for directory in (repository / ".tools", Path.cwd() / ".tools", cache_directory()):
        if _is_program(anvil_path(directory)):
            return anvil_path(directory)
    on_path = shutil.which("anvil")
    if on_path:
        return Path(on_path)
    message = f"no anvil {ANVIL_VERSION} found: run `headwatch lab fetch` (or `make setup`)"
    raise LabError(message)


def find_anvil_before() -> Path:
    """The older anvil: the repository's, or the user's. Raises LabError where there is none."""
    repository = Path(__file__).resolve().parents[2]
    for directory in (repository / ".tools", Path.cwd() / ".tools", cache_directory()):
        if _is_program(anvil_path(directory, ANVIL_BEFORE)):
            return anvil_path(directory, ANVIL_BEFORE)
    message = f"no anvil {ANVIL_BEFORE} found: run `make setup`"
    raise LabError(message)


def fetch_anvil(directory: Path, version: str = ANVIL_VERSION) -> Path:
    """Put a pinned anvil under `directory` unless it is there; returns its path.

    Raises LabError when anvil is not published for the platform, npm fails, or the bytes are not
    those that were pinned.
    """
    target = anvil_path(directory.resolve(), version)
    if _is_program(target):
        return target
    key = platform_key()
    pinned = INTEGRITY if version == ANVIL_VERSION else INTEGRITY_BEFORE
    if key not in pinned:
        message = (
            f"no anvil {version} is known for {key} (only for {', '.join(pinned)}): "
            f"install anvil {version} and name it in HEADWATCH_ANVIL"
        )
        raise LabError(message)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the last step is a rename within one file system.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
        package = _pack(f"@foundry-rs/anvil-{key}@{version}", Path(scratch))
        check_integrity(package, pinned[key])
        binary = Path(scratch) / "anvil"
        _extract(package, "package/bin/anvil", binary)
        binary.chmod(0o755)
        binary.replace(target)
    return target


def poco_path(directory: Path) -> Path:
    """Where `fetch_poco(directory)` puts the artifacts: a folder of `NAME.json`."""
    return directory / f"iexec-poco-{POCO_VERSION}"


def find_poco() -> Path:
    """The artifacts to use: `HEADWATCH_POCO`, the repository's, then the user's.

    Raises LabError, naming the remedy, where there are none.
    """
    named = os.environ.get("HEADWATCH_POCO")
    if named:
        if not _holds_artifacts(Path(named)):
            message = f"HEADWATCH_POCO names {named}, which lacks some of the artifacts"
            raise LabError(message)
        return Path(named)
    repository = Path(__file__).resolve().parents[2]
    for directory in (repository / ".tools", Path.cwd() / ".tools", cache_directory()):
        if _holds_artifacts(poco_path(directory)):
            return poco_path(directory)
    message = f"no iexec-poco {POCO_VERSION} found: run `headwatch lab fetch` (or `make setup`)"
    raise LabError(message)


def fetch_poco(directory: Path) -> Path:
    """Put the pinned artifacts of PoCo under `directory` unless they are there; returns the folder.

    Raises LabError when npm fails, or the bytes are not those that were pinned.
    """
    target = poco_path(directory.resolve())
    if _holds_artifacts(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the last step is a rename within one file system.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
        package = _pack(f"iexec-poco@{POCO_VERSION}", Path(scratch))
        check_integrity(package, POCO_INTEGRITY)
        folder = Path(scratch) / "artifacts"
        folder.mkdir()
        for name in POCO_ARTIFACTS:
            member = f"package/build/contracts/{name}.json"
            _extract(package, member, folder / f"{name}.json")
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    return target


def check_integrity(package: Path, integrity: str) -> None:
    """Raises LabError unless the file has this Subresource Integrity value (W3C SRI, sha512)."""
    with package.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    found = "sha512-" + base64.b64encode(digest).decode()
    if found != integrity:
        message = f"{package.name} is not the pinned package: {found} instead of {integrity}"
        raise LabError(message)


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _holds_artifacts(folder: Path) -> bool:
    return all((folder / f"{name}.json").is_file() for name in POCO_ARTIFACTS)


def _pack(specification: str, directory: Path) -> Path:
    """Let npm download one package file; npm knows the operator's registry and proxies."""
    npm = shutil.which("npm")
    if npm is None:
        message = (
            f"npm is needed to fetch {specification}: install npm, "
            "or name an anvil in HEADWATCH_ANVIL and the artifacts in HEADWATCH_POCO"
        )
        raise LabError(message)
    try:
        done = subprocess.run(
            [npm, "pack", specification, "--json"],
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"npm pack {specification} took more than {FETCH_SECONDS_MAX:.0f} s"
        raise LabError(message) from None
    if done.returncode != 0:
        message = f"npm pack {specification} failed ({done.returncode}): {done.stderr[-800:]}"
        raise LabError(message)
    try:
        name = Path(json.loads(done.stdout)[0]["filename"]).name
    except (ValueError, LookupError, TypeError):
        message = f"npm pack {specification} did not name its file: {done.stdout[-200:]!r}"
        raise LabError(message) from None
    return directory / name


def _extract(package: Path, member: str, target: Path) -> None:
    """One regular file out of the package; its name in the archive decides nothing on disk."""
    with tarfile.open(package, "r:gz") as archive:
        try:
            entry = archive.getmember(member)
        except KeyError:
            entry = None
        source = archive.extractfile(entry) if entry is not None and entry.isreg() else None
        if entry is None or source is None or entry.size > BINARY_BYTES_MAX:
            message = f"{package.name} holds no usable {member}"
            raise LabError(message)
        with source, target.open("wb") as file:
            shutil.copyfileobj(source, file)


def main(arguments: list[str]) -> int:
    """`python -m monitor.lab.tools DIR`: fetch two anvils and the contracts of PoCo into DIR.

    The older anvil where there is one: only tests of differing versions need it.
    """
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m monitor.lab.tools DIR\n")
        return 2
    try:
        path = fetch_anvil(Path(arguments[0]))
        before: Path | str = f"not published for {platform_key()}"
        if platform_key() in INTEGRITY_BEFORE:
            before = fetch_anvil(Path(arguments[0]), ANVIL_BEFORE)
        artifacts = fetch_poco(Path(arguments[0]))
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"anvil {ANVIL_VERSION}: {path}\n")
    sys.stdout.write(f"anvil {ANVIL_BEFORE}: {before}\n")
    sys.stdout.write(f"iexec-poco {POCO_VERSION}: {artifacts}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
