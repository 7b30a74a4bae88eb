"""ASGI entry point: the thin event path in front of Django and Channels."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

from django.core.asgi import get_asgi_application

application = get_asgi_application()
