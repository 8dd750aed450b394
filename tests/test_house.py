"""The house reads its own source: who may import whom, sizes, names, clocks, what goes together.

Every rule is a function from a source, or from a text, to complaints. The first half of the tests
applies the rules to what is here; the second half shows each rule something bad, so that a rule
that has stopped seeing is noticed.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from monitor.act.alerts import ALERTS
from monitor.act.assets import shipped_files
from monitor.act.metrics import METRICS
from monitor.act.rules import Alert
from monitor.checks import CHECKS, Check
from monitor.judge.verdict import REQUIRED

ROOT = Path(__file__).resolve().parent.parent
Complaints = Iterator[str]

# -- the tables ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Room:
    """What the modules of a room may not import; a name stands for all that is below it."""

    modules: tuple[str, ...]
    own: tuple[str, ...] | None = None
    """Of ours, beside the room itself, only these; None is any."""
    never: tuple[str, ...] = ()
    stdlib_only: bool = False


CLOCK = ("time", "datetime", "sched", "zoneinfo")
OUTSIDE = ("asyncio", "socket", "ssl", "http", "urllib.request", "selectors", "subprocess")
STATE = ("logging", "os", "threading", "random", "secrets", "sqlite3", "tempfile")
PURE_NEVER = (*CLOCK, *OUTSIDE, *STATE)
PURE_TRANSACTIONS = tuple(
    f"monitor.transactions.{name}"
    for name in (
        *("words", "rules", "signals", "cases", "conditions", "sentences", "accounts", "decide"),
        *("plan", "fees", "reactions", "inclusion", "story", "telling"),
    )
)
PURE_RAW = tuple(
    f"monitor.transactions.{name}" for name in ("raw", "unsigned", "body", "objects", "rlp")
)
"""Pure too, but hashes, signatures and RLP are libraries'."""
PURE_JUDGING = ("monitor.model", "monitor.judge", "monitor.policy", "monitor.poco")
PURE_CANARY = tuple(
    f"monitor.canary.{name}"
    for name in (
        *("comparison", "differences", "header", "latency", "questions", "traffic"),
        *("lags", "rules"),
    )
)
"""What two nodes said is compared without asking them again; a bootstrap draws from a seed."""
PURE_CONFORMANCE = tuple(
    f"monitor.conformance.{name}" for name in ("vectors", "compare", "outcome")
)
"""Vectors are read and answers held against them without asking anybody; JSON is a library's."""
PURE = (*PURE_JUDGING, *PURE_TRANSACTIONS, *PURE_RAW, *PURE_CANARY, *PURE_CONFORMANCE)
PURE_TELLING = tuple(
    f"monitor.act.notify.{name}" for name in ("digest", "standing", "board", "wording")
)
"""What is told to whom is decided without a clock; who sends it is beside them."""
ROOMS = (
    Room(
        PURE_JUDGING,
        own=("monitor.model", "monitor.judge.offer", "monitor.judge.offers"),
        never=PURE_NEVER,
        stdlib_only=True,
    ),
    Room(
        PURE_TRANSACTIONS,
        own=("monitor.model", *PURE_TRANSACTIONS),
        never=PURE_NEVER,
        stdlib_only=True,
    ),
    Room(PURE_RAW, own=("monitor.model", *PURE_TRANSACTIONS, *PURE_RAW), never=PURE_NEVER),
    Room(
        ("monitor.transactions",),
        own=(
            *("monitor.model", "monitor.url", "monitor.wire", "monitor.rpc", "monitor.judge"),
            *("monitor.config", "monitor.endpoint", "monitor.watch"),
            *("monitor.lock", "monitor.migrations", "monitor.evidence"),
            "monitor.canary.traffic",
        ),
        never=("web3", "prometheus_client"),
    ),
    Room(
        ("monitor.ledger",),
        own=(
            *("monitor.model", "monitor.url", "monitor.wire", "monitor.rpc", "monitor.judge"),
            *("monitor.poco", "monitor.config", "monitor.lock", "monitor.migrations"),
            "monitor.garbage",
        ),
        never=("web3", "prometheus_client"),
    ),
    Room(
        PURE_CANARY,
        own=("monitor.model", "monitor.judge", *PURE_CANARY),
        never=tuple(name for name in PURE_NEVER if name != "random"),
        stdlib_only=True,
    ),
    Room(
        ("monitor.canary",),
        own=(
            *("monitor.model", "monitor.url", "monitor.wire", "monitor.rpc", "monitor.judge"),
            "monitor.probes",
        ),
        never=("web3", "prometheus_client"),
    ),
    Room(
        PURE_CONFORMANCE,
        own=("monitor.model", "monitor.canary.differences", *PURE_CONFORMANCE),
        never=PURE_NEVER,
    ),
    Room(
        ("monitor.conformance",),
        own=(
            *("monitor.model", "monitor.url", "monitor.wire", "monitor.rpc"),
            *("monitor.canary.asking", "monitor.canary.differences", "monitor.canary.traffic"),
        ),
        never=("web3", "prometheus_client"),
    ),
    Room(("monitor.model", "monitor.url"), own=(), stdlib_only=True),
    Room(("monitor.evidence",), own=("monitor.model",), never=PURE_NEVER, stdlib_only=True),
    Room(("monitor.wire",), own=()),
    Room(
        ("monitor.rpc",),
        own=("monitor.model", "monitor.url", "monitor.wire"),
        never=("web3", "prometheus_client"),
    ),
    Room(
        ("monitor.probes",),
        own=("monitor.model", "monitor.judge", "monitor.rpc", "monitor.transactions.rlp"),
    ),
    Room(("monitor.probes",), never=("web3", "aiohttp", *CLOCK)),
    Room(("monitor.act",), never=("monitor.rpc", "monitor.probes", "monitor.run", "web3")),
    Room(("monitor.config",), never=("monitor.rpc", "monitor.probes", "monitor.act", "aiohttp")),
    Room(
        ("monitor.history",),
        own=(
            "monitor.model",
            "monitor.judge",
            "monitor.maintenance",
            "monitor.config.settings",
            "monitor.migrations",
            "monitor.evidence",
        ),
    ),
    Room(
        ("monitor.releases",),
        own=(
            *("monitor.model", "monitor.url", "monitor.wire", "monitor.judge"),
            *("monitor.config", "monitor.checks"),
        ),
        never=("web3", "prometheus_client"),
    ),
    Room(("monitor.maintenance", "monitor.crontab"), own=("monitor.crontab",), never=OUTSIDE),
    Room(("monitor.notices",), own=(), never=PURE_NEVER),
    Room(("monitor.act.pages", "monitor.act.alerts", "monitor.act.rules"), never=PURE_NEVER),
    Room(PURE_TELLING, never=PURE_NEVER),
    Room(
        ("monitor.status",),
        own=(
            "monitor.model",
            "monitor.url",
            "monitor.wire",
            "monitor.judge",
            "monitor.act.words",
            "monitor.commands",
        ),
    ),
    Room(("dashboards",), own=("monitor.act.metrics",)),
    Room(("alerts",), own=("monitor.act.alerts", "monitor.act.rules", "monitor.judge.verdict")),
)
LAB = "monitor.lab"
LAB_KNOWN_TO = (LAB, "monitor.cli", "monitor.commands")
"""The lab is an extra: known to the command line, and to nobody else of ours."""

LAZY = (
    "web3",
    "eth_account",
    "duckdb",
    "numba",
    "grafanalib",
    "pyarrow",
    "numpy",
    "apprise",
    "distributed",
)
"""Never imported with a module of ours: the health check of a container must not pay for them."""

BROAD_EXCEPTS = {
    "monitor.cli": "the entry: exit code 4 and a traceback",
    "monitor.sidecar": "the loop's edge: counted, and the check is UNKNOWN",
    "monitor.survey": "the edge of what is asked beside it: counted, and the check is UNKNOWN",
    "monitor.act.server": "a request's edge: counted, and a 500",
}
CLOCKS = {
    "monitor.cli": "the entry",
    "monitor.run": "owns the clock",
    "monitor.rpc": "measures what an answer took",
    "monitor.lab": "makes blocks in real time",
    "monitor.gate": "lasts for the time it was told",
}
"""Who may read a clock. Elsewhere it is injected; in pure rooms it is `now`."""

UNMIRRORED = {
    "monitor.config": "tests/test_config.py: one surface, tested as one",
    "monitor.transactions.words": "tests/transactions/test_decide.py: what is decided is said so",
    "monitor.transactions.rules": "tests/transactions/test_configured.py: what is written there",
    "monitor.transactions.orders": "tests/e2e/test_transactions.py: the words of what is ordered",
    **dict.fromkeys(
        (
            "monitor.watchdog",
            "monitor.tapping",
            "monitor.guarding",
            *(
                f"monitor.transactions.{name}"
                for name in ("keeper", "looking", "explaining", "filing", "acting", "desk")
            ),
        ),
        "tests/e2e/test_transactions.py: row by row, on real chains",
    ),
    **dict.fromkeys(
        ("monitor.poco.difference", "monitor.poco.v1.stored"),
        "tests/poco/v1/test_compare.py: what is predicted and stored is compared",
    ),
    "monitor.transactions.signing": "tests/e2e/test_signing.py: caps, signers, real pools",
    "monitor.transactions.reading": "tests/transactions/test_sight.py: what is read is looked at",
    "monitor.migrations": "tests/transactions/journal/test_schema.py: and by all that use it",
    "monitor.lab.payments": "tests/e2e/test_scenarios.py: the scenario that pays",
    "monitor.lab.errors": "tests/lab/test_network.py: raised by all of the lab",
    "monitor.lab.port": "tests/lab/test_proxy.py: where the proxy listens",
    "monitor.lab.scenarios": "tests/e2e/test_scenarios.py: the table is run, row by row",
    "monitor.lab.events": "tests/e2e/test_scenarios.py: what a timeline is made of",
    "monitor.lab.timeline": "tests/e2e/test_scenarios.py: what runs it",
    "monitor.lab.report": "tests/e2e/test_scenarios.py: and says how it went",
    "monitor.commands": "tests/e2e/test_commands.py: as an operator runs them",
    "monitor.lab.commands": "tests/e2e/test_commands.py: as an operator runs them",
    "monitor.lab.demo": "tests/e2e/test_commands.py: as an operator runs it",
    "monitor.lab.acts": "tests/e2e/test_commands.py: as an operator runs the demo",
    **dict.fromkeys(
        ("monitor.lab.poco.booth", "monitor.lab.poco.forgeries"),
        "tests/lab/poco/test_traps.py: what traps are made of",
    ),
    **dict.fromkeys(
        ("monitor.lab.poco.work", "monitor.lab.poco.tally"),
        "tests/lab/poco/test_workerdrop.py: played and counted on a chain",
    ),
}
"""Modules, or rooms, without a test file of the same name: where their tests are, and why."""

MODULE_NAMES = re.compile(r"utils?|common|base|core|misc|helpers?|managers?|data|info|process")
DEFINITION_WORDS = re.compile(r"(?i)(?:^|_)(?:utils?|helpers?|managers?)(?:_|$)")
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100
POSITIONAL_MAX = 5

REGISTRIES = (
    "pypi org",
    "pythonhosted org",
    "npmjs org",
    "npmjs com",
    "yarnpkg com",
    "crates io",
    "proxy golang org",
    "deb debian org",
    "security debian org",
    "maven org",
)
REGISTRY = re.compile("|".join(r"\b" + name.replace(" ", r"\.") + r"\b" for name in REGISTRIES))
MACHINE_PATH = re.compile(r"(?<![\w.)}\]*-])/(?:work|root|home/[a-z]\w*)/[\w.]")
URL = re.compile(r"\b(?:https?|wss?)://[^\s\"'`<>|\\]+")
KEY = re.compile(r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])(?!0x)[\w-]{20,}")
INVENTED_HOST = re.compile(
    r"(?:^|\.)(?:example(?:\.(?:org|com|net))?|test|invalid|localhost)$|^127\.|^\[?::1"
)
PERMALINKS = ("github.com",)
"""Hosts whose long path segments are commits."""


# -- the sources ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """One module: its dotted name, its text and its tree."""

    name: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, name: str, text: str) -> Source:
        return cls(name, text, ast.parse(text))


@cache
def sources(folder: str) -> tuple[Source, ...]:
    """Every module below a folder of the repository; a package is named without `__init__`."""
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found.append(Source.of(name, path.read_text(encoding="utf-8")))
    return tuple(found)


@cache
def files() -> tuple[Path, ...]:
    """What git tracks, and what it would track if it were added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().split("\0")
    return tuple(path for name in names if name and (path := ROOT / name).is_file())


def is_below(module: str, *names: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The modules that are imported, and where. `from a import b` may mean a.b: it is named so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def at_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported: not functions, not `TYPE_CHECKING`."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.stmt):
            yield node
        waiting += ast.iter_child_nodes(node)


# -- the rules -----------------------------------------------------------------------------------


def breaks_rooms(source: Source) -> Complaints:
    """Who may import whom."""
    for room in ROOMS:
        mine = next((name for name in room.modules if is_below(source.name, name)), None)
        if mine is None:
            continue
        # A file that is pure beside others that are not may not import those.
        home = mine if mine.count(".") <= 1 else source.name
        for name, line in imports(source.tree):
            ours = is_below(name, "monitor", "dashboards", "alerts")
            top = name.split(".")[0]
            if (
                (ours and room.own is not None and not is_below(name, home, *room.own))
                or is_below(name, *room.never)
                or (room.stdlib_only and not ours and top not in sys.stdlib_module_names)
            ):
                yield f"{source.name}:{line} imports {name}"


def breaks_lab(source: Source) -> Complaints:
    """Nobody but the command line knows the lab."""
    if is_below(source.name, "monitor") and not is_below(source.name, *LAB_KNOWN_TO):
        for name, line in imports(source.tree):
            if is_below(name, LAB):
                yield f"{source.name}:{line} imports {name}"


def breaks_relative(source: Source) -> Complaints:
    """Imports say in full what they import, so that the other rules can read them."""
    for name, line in imports(source.tree):
        if name.startswith("."):
            yield f"{source.name}:{line} imports {name}"


def breaks_lazy(source: Source) -> Complaints:
    """What is heavy is imported by the function that needs it."""
    for statement in at_import(source.tree):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for name, line in imports(statement):
                if is_below(name, *LAZY):
                    yield f"{source.name}:{line} imports {name} when it is imported"


def breaks_names(source: Source) -> Complaints:
    """Names say what a thing is, and not that it is useful."""
    for part in source.name.split("."):
        if MODULE_NAMES.fullmatch(part):
            yield f"{source.name} is named {part}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", node.name)
            if DEFINITION_WORDS.search(words):
                yield f"{source.name}:{node.lineno} {node.name}"


def breaks_sizes(source: Source) -> Complaints:
    """What fits on a few screens can be read."""
    lines = source.text.splitlines()
    if len(lines) > MODULE_LINES_MAX:
        yield f"{source.name} has {len(lines)} lines"
    yield from breaks_columns(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            count = (node.end_lineno or node.lineno) - node.lineno + 1
            if count > FUNCTION_LINES_MAX:
                yield f"{source.name}:{node.lineno} {node.name} has {count} lines"
            named = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
            positional = len(named) - (named[:1] in (["self"], ["cls"]))
            if positional > POSITIONAL_MAX:
                yield f"{source.name}:{node.lineno} {node.name} has {positional} positionals"


def breaks_columns(source: Source) -> Complaints:
    """A line fits beside another."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if len(line) > COLUMNS_MAX:
            yield f"{source.name}:{number} has {len(line)} columns"


def breaks_excepts(source: Source) -> Complaints:
    """Mistakes of ours are caught at the edges only, and nothing is swallowed."""
    for node in ast.walk(source.tree):
        # With an `else` that leaves, what follows the statement is what handles the error.
        if isinstance(node, ast.Try) and not node.orelse:
            for handler in node.handlers:
                if all(isinstance(line, ast.Pass) or _is_text(line) for line in handler.body):
                    yield f"{source.name}:{handler.lineno} swallows what it catches"
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            raised = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
            broad = node.type is None or re.search(r"\b(Base)?Exception\b", caught)
            if broad and not raised and source.name not in BROAD_EXCEPTS:
                yield f"{source.name}:{node.lineno} catches {caught}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            kinds = [ast.unparse(kind) for kind in node.args]
            if {"Exception", "BaseException"} & set(kinds):
                yield f"{source.name}:{node.lineno} suppresses everything"


def _is_text(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


READINGS = re.compile(
    r"time\.(?:time|monotonic|perf_counter)(?:_ns)?"
    r"|(?:\w+\.)*(?:datetime|date)\.(?:now|utcnow|today)"
    r"|.*loop(?:\(\))?\.time"
)


def breaks_clock(source: Source) -> Complaints:
    """Time is an argument; a clock is read in a few places, and injected elsewhere."""
    if is_below(source.name, *CLOCKS):
        return
    injected = set()
    if not is_below(source.name, *PURE):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.arguments):
                injected |= {id(child) for child in (*node.defaults, *node.kw_defaults) if child}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and id(node) not in injected:
            name = ast.unparse(node)
            if READINGS.fullmatch(name):
                yield f"{source.name}:{node.lineno} reads {name}"
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield f"{source.name}:{node.lineno} hides where the clock is read: import time"


def breaks_promises(source: Source) -> Complaints:
    """A test says what it promises."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("test_") and not ast.get_docstring(node):
            yield f"{source.name}:{node.lineno} {node.name} promises nothing"


def breaks_text(where: str, text: str) -> Complaints:
    """No key, no package registry, no path of one machine goes into the repository."""
    for found in REGISTRY.finditer(text):
        yield f"{where} names the registry {found[0]}"
    for found in MACHINE_PATH.finditer(text):
        yield f"{where} names the path {found[0]}"
    for found in URL.finditer(text):
        try:
            url = urlsplit(found[0])
            host = url.hostname or ""
        except ValueError:
            continue  # broken on purpose, in a test of broken URLs
        if INVENTED_HOST.search(host) or host in PERMALINKS or "{" in found[0]:
            continue
        keys = [part for part in re.split(r"[/?&=#]", url.path + "/" + url.query) if part]
        if url.password or any(KEY.fullmatch(part) for part in keys):
            yield f"{where} holds a URL with a key, at {host}"


def slugs(markdown: str) -> set[str]:
    """The anchors of a page's headings."""
    found = set()
    for heading in re.findall(r"(?m)^#{1,6} +(.+?) *$", markdown):
        words = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(words.replace(" ", "-"))
    return found


def breaks_row(row: Check[object], root: Path) -> Complaints:
    """A check has a probe, a judge, tests of both, a section of the documentation, and alerts."""
    if row.probe.__module__ != f"monitor.probes.{row.asks}":
        yield f"{row.name}: the probe is in {row.probe.__module__}, and asks says {row.asks}"
    if row.judge.__module__ != f"monitor.judge.{row.name}":
        yield f"{row.name}: its judge is in {row.judge.__module__}"
    wanted = ("title", "why", "remedy", "runbook", "scopes", *(("methods",) * row.required))
    for name in wanted:
        if not getattr(row, name):
            yield f"{row.name}: has no {name}"
    for test in (f"tests/probes/test_{row.asks}.py", f"tests/judge/test_{row.name}.py"):
        if not (root / test).is_file():
            yield f"{row.name}: there is no {test}"
    page, _, anchor = row.runbook.partition("#")
    path = root / "docs" / page
    if not path.is_file() or anchor not in slugs(path.read_text(encoding="utf-8")):
        yield f"{row.name}: docs/{page} has no heading #{anchor}"
    mine = [alert for alert in ALERTS if alert.check == row.name]
    for scope in row.scopes if row.required else ():
        if not any(alert.scope == scope for alert in mine):
            yield f"{row.name}: no alert tells of its {scope}"
    yield from (complaint for alert in mine for complaint in breaks_alert(alert.name, root))


def breaks_alert(name: str, root: Path) -> Complaints:
    """An alert has a page of the runbook."""
    if not (root / "alerts" / "runbook" / f"{name}.md").is_file():
        yield f"{name}: there is no alerts/runbook/{name}.md"


def undeclared(text: str) -> set[str]:
    """Names of metrics in a text that the table does not declare."""
    declared = {name for row in METRICS for name in (row.name, row.family, *row.series)}
    return set(re.findall(r"\bheadwatch_[a-z0-9_]*[a-z0-9]\b(?!\*)", text)) - declared


def all_of(complaints: Iterable[str]) -> None:
    """Every complaint at once."""
    found = list(complaints)
    assert not found, "\n".join(found)


# -- the rules, applied --------------------------------------------------------------------------

Rule = Callable[[Source], Complaints]


@pytest.mark.parametrize(
    ("rule", "folders"),
    [
        (breaks_rooms, ("monitor", "dashboards", "alerts")),
        (breaks_lab, ("monitor",)),
        (breaks_relative, ("monitor", "dashboards", "alerts", "tests", "benchmarks")),
        (breaks_lazy, ("monitor",)),
        (breaks_names, ("monitor", "dashboards", "alerts", "benchmarks")),
        (breaks_sizes, ("monitor", "dashboards", "alerts", "benchmarks")),
        (breaks_columns, ("tests",)),
        (breaks_excepts, ("monitor", "dashboards", "alerts")),
        (breaks_clock, ("monitor", "dashboards", "alerts")),
        (breaks_promises, ("tests",)),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_source_of_every_module_keeps_the_rule(rule: Rule, folders: tuple[str, ...]) -> None:
    """What the rule's docstring says is true of every module it is for."""
    assert sources(folders[0])
    all_of(complaint for folder in folders for each in sources(folder) for complaint in rule(each))


def test_import_of_the_command_line_loads_nothing_heavy() -> None:
    """`headwatch --version` starts with the standard library, whatever imports whom below it."""
    heavy = (*LAZY, "aiohttp", "pydantic", "prometheus_client", "apscheduler", "rich", "asyncio")
    program = "import sys, monitor.cli; print(*(set(sys.argv[1:]) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program, *heavy],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) <= {"asyncio"}


def test_tables_name_only_what_is_there() -> None:
    """An exception whose reason is gone is taken out of its table."""
    modules = {source.name: source for source in sources("monitor")}
    beside = {source.name for room in ("dashboards", "alerts") for source in sources(room)}
    roomed = {name for room in ROOMS for name in (*room.modules, *(room.own or ()))}
    for table in (BROAD_EXCEPTS, CLOCKS, UNMIRRORED, roomed, LAB_KNOWN_TO):
        for name in table:
            assert any(is_below(module, name) for module in {*modules, *beside}), name
    for name in BROAD_EXCEPTS:
        assert "except Exception" in modules[name].text, name
    for name, reason in UNMIRRORED.items():
        assert (ROOT / reason.split(":")[0]).is_file(), name
        below = (source for module, source in modules.items() if is_below(module, name))
        assert not all(has_tests(source) for source in below), name


def has_tests(source: Source) -> bool:
    """Whether `monitor/x/y.py` has its `tests/x/test_y.py`; a file without code needs none."""
    *rooms, name = source.name.split(".")[1:] or [""]
    code = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    mirror = ROOT.joinpath("tests", *rooms, f"test_{name}.py")
    return mirror.is_file() or not any(isinstance(node, code) for node in source.tree.body)


def test_tests_mirror_the_tree() -> None:
    """Whoever reads a module knows where its tests are."""
    all_of(
        f"{source.name} has no test"
        for source in sources("monitor")
        if not has_tests(source) and not is_below(source.name, *UNMIRRORED)
    )


@pytest.mark.parametrize("row", CHECKS, ids=lambda row: row.name)
def test_check_has_everything_that_goes_with_a_check(row: Check[object]) -> None:
    """A row of CHECKS comes with probe, judge, tests, documentation and alerts, or not at all."""
    all_of(breaks_row(row, ROOT))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_alert_has_its_page_of_the_runbook(alert: Alert) -> None:
    """Whoever is woken finds what to do."""
    all_of(breaks_alert(alert.name, ROOT))


def test_checks_have_names_of_their_own_and_the_required_are_there() -> None:
    """The verdict waits for no check that nobody makes."""
    names = [row.name for row in CHECKS]
    assert len(set(names)) == len(names)
    assert set(REQUIRED) <= set(names)


def test_metrics_that_are_spoken_of_are_declared() -> None:
    """A name of a metric in a page, an alert or a dashboard is one that is exported."""
    kinds = (".md", ".yml", ".yaml", ".json")
    rooms = ("docs", "alerts", "dashboards", "deploy")
    for path in files():
        place = path.relative_to(ROOT).parts
        if path.suffix in kinds and (len(place) == 1 or place[0] in rooms):
            assert not undeclared(path.read_text(encoding="utf-8")), path


def test_files_hold_no_key_no_registry_and_no_path_of_a_machine() -> None:
    """Whoever clones the repository learns nothing of where it was made."""
    assert ROOT / "requirements.lock" in files()
    all_of(
        complaint
        for path in files()
        for complaint in breaks_text(
            str(path.relative_to(ROOT)), path.read_text(encoding="utf-8", errors="replace")
        )
    )


def test_wheel_holds_one_package_and_all_of_it(tmp_path: Path) -> None:
    """What is installed is `monitor`, typed, with its pages and its licence, and nothing else."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    all_of(
        f"the wheel holds {name}"
        for name in names
        if not re.match(r"monitor/|headwatch-[\d.]+\.dist-info/", name)
    )
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    ours = {str(path.relative_to(ROOT)) for path in files()}
    all_of(
        f"the wheel lacks {name}"
        for name in {"monitor/py.typed", *ours} - set(names)
        if name.startswith("monitor/")
    )
    all_of(
        f"the wheel lacks {name}, which `headwatch assets` hands out"
        for name in shipped_files()
        if f"monitor/_assets/{name}" not in names
    )


# -- the rules, shown something bad --------------------------------------------------------------

LONG = "def f() -> None:\n" + "    x = 1\n" * FUNCTION_LINES_MAX


@pytest.mark.parametrize(
    ("rule", "name", "bad"),
    [
        (breaks_rooms, "monitor.model", "import aiohttp"),
        (breaks_rooms, "monitor.model", "from monitor.judge import head"),
        (breaks_rooms, "monitor.judge.head", "import time"),
        (breaks_rooms, "monitor.judge.head", "def f():\n    from logging import getLogger"),
        (breaks_rooms, "monitor.judge.head", "from monitor.rpc.node import Node"),
        (breaks_rooms, "monitor.judge.head", "from monitor import rpc"),
        (breaks_rooms, "monitor.policy.evaluation", "import time"),
        (breaks_rooms, "monitor.policy.presets", "from monitor.judge import profiles"),
        (breaks_rooms, "monitor.poco.laws", "from monitor.judge import head"),
        (breaks_rooms, "monitor.transactions.decide", "import monitor.transactions.journal"),
        (breaks_rooms, "monitor.rpc.node", "from monitor.config import Settings"),
        (breaks_rooms, "monitor.releases.feeds", "from monitor.probes import version"),
        (breaks_rooms, "monitor.probes.head", "from monitor.act import metrics"),
        (breaks_rooms, "monitor.probes.head", "from monitor.run import Loop"),
        (breaks_rooms, "monitor.act.page", "import monitor.rpc.node"),
        (breaks_rooms, "dashboards.fleet", "from monitor.config import Settings"),
        (breaks_rooms, "alerts.files", "from monitor.act.page import status_html"),
        (breaks_lab, "monitor.watch", "from monitor.lab.network import LabNetwork"),
        (breaks_relative, "monitor.watch", "from .model import Head"),
        (breaks_lazy, "monitor.ledger.reads", "import web3"),
        (breaks_lazy, "monitor.ledger.reads", "try:\n    from numba import njit\nfinally: f()"),
        (breaks_lazy, "monitor.ledger.reads", "try: f()\nexcept OSError:\n    import web3"),
        (breaks_lazy, "monitor.ledger.reads", "class A:\n    import duckdb.typing"),
        (breaks_names, "monitor.utils", "x = 1"),
        (breaks_names, "monitor.act.common", "x = 1"),
        (breaks_names, "monitor.run", "class JobManager: ..."),
        (breaks_names, "monitor.run", "def _url_helper(): ..."),
        (breaks_sizes, "monitor.run", "\n" * (MODULE_LINES_MAX + 1)),
        (breaks_sizes, "monitor.run", LONG),
        (breaks_sizes, "monitor.run", "def f(a, b, c, /, d, e, f): ..."),
        (breaks_sizes, "monitor.run", "x = 1  #" + "." * COLUMNS_MAX),
        (breaks_excepts, "monitor.watch", "try: f()\nexcept Exception as e: g(e)"),
        (breaks_excepts, "monitor.watch", "try: f()\nexcept (OSError, BaseException): g()"),
        (breaks_excepts, "monitor.watch", "try: f()\nexcept: g()"),
        (breaks_excepts, "monitor.watch", "with contextlib.suppress(Exception): f()"),
        (breaks_excepts, "monitor.cli", "try: f()\nexcept OSError: pass"),
        (breaks_excepts, "monitor.cli", "try: f()\nexcept OSError:\n    'never mind'"),
        (breaks_clock, "monitor.judge.head", "def f(clock=time.time): ..."),
        (breaks_clock, "monitor.watch", "now = time.monotonic()"),
        (breaks_clock, "monitor.watch", "now = datetime.datetime.now(datetime.UTC)"),
        (breaks_clock, "monitor.watch", "now = asyncio.get_running_loop().time()"),
        (breaks_clock, "monitor.watch", "from time import time"),
        (breaks_promises, "tests.test_run", "async def test_run_stops(): assert True"),
    ],
)
def test_rule_sees_what_breaks_it(rule: Rule, name: str, bad: str) -> None:
    """A rule that has stopped seeing is noticed."""
    assert list(rule(Source.of(name, bad)))


@pytest.mark.parametrize(
    ("rule", "name", "good"),
    [
        (breaks_rooms, "monitor.model", "import enum, urllib.parse"),
        (breaks_rooms, "monitor.judge.head", "from monitor.judge import seen"),
        (breaks_rooms, "monitor.act.page", "from monitor.act import metrics"),
        (breaks_rooms, "dashboards.fleet", "from monitor.act.metrics import METRICS"),
        (breaks_rooms, "dashboards.fleet", "from dashboards import panels"),
        (breaks_rooms, "monitor.judgement", "import time"),
        (breaks_lab, "monitor.cli", "from monitor.lab import tools"),
        (breaks_lazy, "monitor.ledger.reads", "def f():\n    import web3"),
        (breaks_lazy, "monitor.ledger.reads", "class A:\n    def f(self):\n        import web3"),
        (breaks_lazy, "monitor.ledger.reads", "if TYPE_CHECKING:\n    import web3"),
        (breaks_names, "monitor.transactions.fees", "def base_fee(): ..."),
        (breaks_sizes, "monitor.run", "def f(self, a, b, c, d, e, *, g, h): ..."),
        (breaks_excepts, "monitor.watch", "try: f()\nexcept BaseException:\n    g()\n    raise"),
        (breaks_excepts, "monitor.watch", "try: f()\nexcept OSError: g()"),
        (breaks_excepts, "monitor.watch", "try: f()\nexcept OSError: pass\nelse: g()\nh()"),
        (breaks_clock, "monitor.watch", "def f(clock=time.time): ..."),
        (breaks_clock, "monitor.rpc.node", "began = loop.time()"),
        (breaks_promises, "tests.test_run", "def test_run():\n    'It stops.'"),
    ],
)
def test_rule_leaves_in_peace_what_keeps_it(rule: Rule, name: str, good: str) -> None:
    """A rule forbids what it says and no more."""
    assert not list(rule(Source.of(name, good)))


# Put together here, so that this file itself holds none of them.
TOKEN = "4f9c1a7be02d4c55" * 2


@pytest.mark.parametrize(
    ("text", "is_bad"),
    [
        ("see " + "pypi" + ".org/project", True),
        ("# see /wo" + "rk/shared/notes", True),
        ("(/ro" + "ot/.cache)", True),
        ("https://mainnet.node.io/v3/" + TOKEN, True),
        ("wss://mainnet.node.io/ws?key=" + TOKEN, True),
        ("https://user:" + "word@mainnet.node.io/", True),
        ("https://mainnet.example.org/v3/" + TOKEN, False),
        ("https://github.com/a/b/blob/" + TOKEN + "/x.md", False),
        ("https://eips.ethereum.org/EIPS/eip-1559", False),
        ("monitor/work/things and ./root/here", False),
    ],
)
def test_text_with_a_secret_or_a_place_is_seen(text: str, *, is_bad: bool) -> None:
    """Keys, registries and machine paths are seen; invented hosts and permalinks are not."""
    assert bool(list(breaks_text("here", text))) is is_bad


def test_row_that_lacks_something_is_seen(tmp_path: Path) -> None:
    """A row without tests, section, page or alert is named with what it lacks."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "checks.md").write_text("# Checks\n\nhead\n")
    found = list(breaks_row(CHECKS[0], tmp_path))
    assert [word for word in found if "heading" in word]
    assert len([word for word in found if "there is no tests/" in word]) == 2
    assert [word for word in found if "there is no alerts/runbook/" in word]
    unheard = replace(CHECKS[0], scopes=("node", "reference", "quorum"))
    assert len([word for word in breaks_row(unheard, tmp_path) if "no alert tells" in word]) == 2


def test_metric_that_is_not_exported_is_seen() -> None:
    """A renamed metric does not live on in a page."""
    assert undeclared("`headwatch_gone_seconds` and headwatch_build_info") == {
        "headwatch_gone_seconds"
    }


def test_module_without_a_test_is_seen() -> None:
    """A module with code needs its file of tests; one without needs none."""
    assert not has_tests(Source.of("monitor.act.nothing", "def f(): ..."))
    assert has_tests(Source.of("monitor.act.nothing", "'Words.'"))
