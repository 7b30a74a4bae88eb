"""Apps of the Kotlin double.

Maven Central answers that it has no com.inngest:inngest, so these apps are no Java programs: they
speak Kotlin's dialect as spec 01 13 writes it down. What passes here says that Stepwell and the
specification agree, not that a released Kotlin SDK works; `test_sdk_row.py` keeps that open.
"""

import sys

import pytest

from tests.e2e.app_process import AppProcess
from tests.e2e.conftest import AppStarter
from tests.e2e.harness import Stepwell
from tests.e2e.server_process import ROOT

COMMAND = (sys.executable, "-m", "tests.e2e.apps.java.main")


def environment_of(stepwell: Stepwell) -> dict[str, str]:
    """Kotlin takes a URL in `INNGEST_DEV` for the name of an environment, and has a URL for each API."""
    return {
        "INNGEST_DEV": "0" if stepwell.signing_key else "1",
        "INNGEST_API_BASE_URL": stepwell.base_url,
        "INNGEST_BASE_URL": stepwell.base_url,
    }


@pytest.fixture(scope="session")
def app(stepwell: Stepwell, app_starter: AppStarter) -> AppProcess:
    return app_starter(COMMAND, ROOT, stepwell, environment=environment_of(stepwell))


@pytest.fixture(scope="session")
def signed_app(signed_stepwell: Stepwell, app_starter: AppStarter) -> AppProcess:
    return app_starter(COMMAND, ROOT, signed_stepwell, environment=environment_of(signed_stepwell))
