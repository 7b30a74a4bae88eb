"""A server for others: nothing starts with development's secrets or switches."""

from urllib.parse import urlsplit

from config.settings import credentials
from config.settings import environment as env
from config.settings.base import *  # noqa: F403 a settings module re-exports its base
from config.settings.logs import logging_config
from config.settings.security import PLAIN_HTTP_PATHS

STEPWELL_MODE = env.choice("STEPWELL_MODE", allowed=("dev", "server"), default="server")
if STEPWELL_MODE == "server" and STEPWELL_ROLES:
    credentials.check_key_pair(STEPWELL_SIGNING_KEY, STEPWELL_EVENT_KEYS)

_public = urlsplit(STEPWELL_BASE_URL)
_named_hosts = env.words("STEPWELL_ALLOWED_HOSTS")
if not _named_hosts and env.text("STEPWELL_BASE_URL"):
    _named_hosts = [_public.hostname or ""]
credentials.refuse_development_values(SECRET_KEY, DEBUG, _named_hosts)
# Health checks of the same machine, such as a container's own, come by these names.
ALLOWED_HOSTS = list(dict.fromkeys([*_named_hosts, "localhost", "127.0.0.1", "[::1]"]))

STEPWELL_ALLOW_PRIVATE_NETWORKS = env.flag("STEPWELL_ALLOW_PRIVATE_NETWORKS", default=False)
STEPWELL_DRAIN_SECONDS = env.integer("STEPWELL_DRAIN_SECONDS", default=15, minimum=0, maximum=600)

# TLS ends in a proxy in front. With an https address pages are served by no other way; with http, which is
# for a private network, the browser would drop secure cookies.
_has_tls = _public.scheme == "https"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_SSL_REDIRECT = _has_tls
SECURE_REDIRECT_EXEMPT = PLAIN_HTTP_PATHS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _has_tls else None
SECURE_HSTS_SECONDS = 31_536_000 if _has_tls else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _has_tls
SESSION_COOKIE_SECURE = _has_tls
CSRF_COOKIE_SECURE = _has_tls
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
# Preloading is a promise for a whole domain, which its owner makes and not one server below it.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

STEPWELL_LOG_FORMAT = env.choice(
    "STEPWELL_LOG_FORMAT", "LOG_HANDLER", allowed=("json", "text", "dev"), default="json"
)
LOGGING = logging_config(STEPWELL_LOG_FORMAT, LOG_LEVEL)

# Collected files have hashes in their names and are kept by browsers for good; without a collection, as in
# a checkout, files are found where they are.
_is_collected = (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_USE_FINDERS = not _is_collected
if _is_collected:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "apps.server.static_storage.HashedFilesStorage"},
    }
