"""The Celery application: ordinary tasks, and the host of the engine's bootsteps."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

app = Celery("stepwell")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
