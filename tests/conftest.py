"""What every test may ask for."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from monitor.lab.errors import LabError
from monitor.lab.tools import find_anvil, find_anvil_before, find_poco
from monitor.transactions.signers.library import load_account
from tests.debian import MissingProgramError, tool

# Tests that sign import eth_account themselves. Loaded so first, it leaves the limit of recursion
# alone, which other tests lean on.
load_account()

# A shell that runs the tests in its background ignores Ctrl-C for them, and a program inherits
# that: those that a test starts and interrupts have the usual answer to it all the same.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def program(name: str) -> Path:
    """A program out of Debian's packages; its absence fails in CI and skips elsewhere."""
    try:
        return tool(name)
    except MissingProgramError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The program that checks metrics, rules and alerts as Prometheus does."""
    return program("promtool")


@pytest.fixture(scope="session")
def prometheus() -> Path:
    """The server that scrapes, evaluates and sends alerts."""
    return program("prometheus")


@pytest.fixture(scope="session")
def alertmanager() -> Path:
    """The server that groups, inhibits and routes alerts."""
    return program("alertmanager")


@pytest.fixture(scope="session")
def amtool() -> Path:
    """The program that checks a configuration of Alertmanager and its routes."""
    return program("amtool")


@pytest.fixture(scope="session")
def anvil_path() -> Path:
    """The anvil binary; its absence fails in CI and skips elsewhere."""
    try:
        return find_anvil()
    except LabError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def anvil_before_path() -> Path:
    """The older anvil, for real differences of versions; the same where it is absent."""
    try:
        return find_anvil_before()
    except LabError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def poco_path() -> Path:
    """The artifacts of PoCo; their absence fails in CI and skips elsewhere."""
    try:
        return find_poco()
    except LabError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
