"""Local development: `manage.py dev` on embedded services."""

from config.settings.base import *  # noqa: F403 a settings module re-exports its base

DATA_DIR.mkdir(parents=True, exist_ok=True)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
