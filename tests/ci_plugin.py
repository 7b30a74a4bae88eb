"""Under `CI=true` a skipped test is a failed one: a machine that judges a change must run every suite.

Loaded by the Makefile with `-p tests.ci_plugin`. Expected failures (xfail) are not skips.
"""

import os
from collections.abc import Generator

import pytest


def _is_strict() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true")


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if _is_strict() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, which CI does not allow: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module, as `pytest.importorskip` skips it."""
    report = yield
    if _is_strict() and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"Skipped, which CI does not allow: {_reason(report.longrepr)}"
    return report
