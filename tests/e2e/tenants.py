"""Organisations on a running server, made by a process beside it as its own services would."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.e2e.conftest import EVENT_KEY, SIGNING_KEY
from tests.e2e.harness import Stepwell
from tests.e2e.server_process import ROOT, ServerProcess

_PROVISION = """
import json
from apps.audit.services import SYSTEM
from apps.credentials import secrets
from apps.credentials.models import EventKey, SigningKey
from apps.credentials.services import organisation_provision, signing_key_create_pending
from apps.identity.models import User
owner = User.objects.create_user("owner@%(slug)s.example")
account = organisation_provision(name="%(name)s", owner=owner, actor=SYSTEM)
production = account.environments.get(type="production")
pending = signing_key_create_pending(environment=production, actor=SYSTEM)
read = lambda row: secrets.decrypt(row.value_encrypted)
print(json.dumps({
    "event_key": read(EventKey.objects.get(environment=production)),
    "signing_key": read(SigningKey.objects.get(environment=production, state="active")),
    "pending": read(pending),
    "environment_id": str(production.id),
}))
"""
_ROTATE = """
from datetime import timedelta
from apps.audit.services import SYSTEM
from apps.credentials.services import signing_key_rotate
from apps.tenancy.models import Environment
environment = Environment.objects.get(id="%s")
signing_key_rotate(environment=environment, actor=SYSTEM, grace=timedelta(0))
"""


class Tenant:
    """An organisation's production environment; `stepwell` speaks with its keys."""

    def __init__(self, server: ServerProcess, name: str) -> None:
        self._server = server
        found = json.loads(self._run(_PROVISION % {"name": name, "slug": name.lower()}).splitlines()[-1])
        self.pending: str = found["pending"]
        self.environment_id: str = found["environment_id"]
        self.stepwell = Stepwell(server, event_key=found["event_key"], signing_key=found["signing_key"])
        # Good before and after the rotation.
        self.stepwell.http.headers["Authorization"] = f"Bearer {self.pending}"

    def rotate(self) -> None:
        """Without a time of grace: what presents the old key alone is refused from now on."""
        self._run(_ROTATE % self.environment_id)

    def app_keys(self) -> dict[str, Any]:
        """What an app has while a rotation is prepared."""
        return {
            "INNGEST_SIGNING_KEY": self.pending,
            "INNGEST_SIGNING_KEY_FALLBACK": self.stepwell.signing_key,
        }

    def close(self) -> None:
        self.stepwell.http.close()
        self.stepwell.redis.close()

    def _run(self, code: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
            cwd=ROOT,
            env=os.environ | self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _environment(self) -> dict[str, str]:
        return self._server.settings_environment() | {
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "STEPWELL_MODE": "server",
            "STEPWELL_SIGNING_KEY": SIGNING_KEY,
            "STEPWELL_EVENT_KEYS": EVENT_KEY,
        }
