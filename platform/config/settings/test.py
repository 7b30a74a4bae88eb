"""The test suites. REDIS_URL and DATABASE_URL are set by tests/conftest.py or by the caller."""

from config.settings.base import *  # noqa: F403 a settings module re-exports its base

SECRET_KEY = "test"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
STEPWELL_AUDIT_STRICT = True
