"""The Celery application: ordinary tasks, and the host of the engine's services."""

import os
from collections.abc import Sequence

from celery import Celery
from django.conf import settings

from apps.engine import celery_control  # noqa: F401 registers the control commands
from apps.engine.bootstep import EngineStep
from apps.engine.services import Service

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")


async def _services() -> Sequence[Service]:
    from config.roles import services

    return await services()


app = Celery("stepwell")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

if os.environ.get("STEPWELL_ROLES"):
    EngineStep.factory = staticmethod(_services)
    EngineStep.drain_seconds = settings.STEPWELL_DRAIN_SECONDS
    app.steps["worker"].add(EngineStep)
