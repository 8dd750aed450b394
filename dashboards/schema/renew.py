"""`python -m dashboards.schema.renew` makes the schemas anew; needs npm and the network.

The types are those of `@grafana/schema`, Apache-2.0, by Grafana Labs; `ts-json-schema-generator`,
MIT, turns them into JSON Schema. Both packages are believed by their sha512, and neither is needed
to run the tests. `README.md` beside this file says which version the files were made from.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parent
SCHEMA_VERSION = "13.2.3"
PACKAGES = {
    f"@grafana/schema@{SCHEMA_VERSION}": (
        "sha512-rk8FEO7yuFfRTK/JD39747SZFQ+iCTQbpm6Mh2OjnqGx/g/uQQFx56t64eCLXWEyoR68ru4cigcGKrXk"
        "+ozrLg=="
    ),
    "ts-json-schema-generator@2.10.0": (
        "sha512-cNa9NTcaY3HYsDGvW7jMs91XF+1UtZLvEx4MrxigXZ4wMBL0YazPWF4rpPnbs5qtCGUc0P5cS3xRW0Lq"
        "2l1u1A=="
    ),
}
TYPES = "node_modules/@grafana/schema/dist/types/raw"
PANELS = {
    "stat": ("Options",),
    "state-timeline": ("Options", "FieldConfig"),
    "table": ("Options", "FieldConfig"),
    "timeseries": ("Options", "FieldConfig"),
}
"""The types of panels that the boards use, and what Grafana defines for each."""
STEP_SECONDS_MAX = 300


class RenewalError(Exception):
    """The schemas could not be made; those that are here stay."""


def sources() -> dict[str, tuple[str, tuple[str, ...]]]:
    """The name of each file, the file of types it comes from, and the types in it."""
    board = (f"{TYPES}/dashboard/x/types.gen.d.ts", ("Dashboard",))
    found: dict[str, tuple[str, tuple[str, ...]]] = {"dashboard": board}
    for panel, types in PANELS.items():
        folder = panel.replace("-", "")
        found[panel] = (f"{TYPES}/composable/{folder}/panelcfg/x/types.gen.d.ts", types)
    return {f"{name}.schema.json": source for name, source in found.items()}


def renew(directory: Path = DIRECTORY) -> None:
    """Write every schema. Raises RenewalError where a package or the generator fails."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        (place / "package.json").write_text("{}", encoding="utf-8")
        # Nothing of the packages is run while they are installed.
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        _run(("npm", "install", "--save-exact", *quiet, *PACKAGES), place)
        _believe(place / "package-lock.json")
        made = {name: _schema(place, *source) for name, source in sources().items()}
    for name, text in made.items():
        (directory / name).write_text(text, encoding="utf-8")


def _believe(lock: Path) -> None:
    installed = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    for package, expected in PACKAGES.items():
        name = package.rpartition("@")[0]
        found = installed[f"node_modules/{name}"]["integrity"]
        if found != expected:
            message = f"{package} has the digest {found}, expected {expected}"
            raise RenewalError(message)


def _schema(place: Path, path: str, types: tuple[str, ...]) -> str:
    """One schema. Objects are closed in it: a key that Grafana does not know is an error."""
    arguments = ("--path", path, "--type", *types, "--no-type-check", "--jsDoc", "none")
    written = _run(("node_modules/.bin/ts-json-schema-generator", *arguments), place)
    return json.dumps(json.loads(written), indent=1, sort_keys=True) + "\n"


def _run(command: tuple[str, ...], place: Path) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=place,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"{command[0]}: {error}"
        raise RenewalError(message) from None
    if done.returncode != 0:
        message = f"{command[0]} ended with {done.returncode}:\n{done.stderr[-800:]}"
        raise RenewalError(message)
    return done.stdout


if __name__ == "__main__":
    renew()
