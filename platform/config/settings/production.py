"""A server for others: nothing starts with development's secrets, keys or switches."""

from config.settings import credentials
from config.settings import environment as env
from config.settings.base import *  # noqa: F403 a settings module re-exports its base

STEPWELL_MODE = env.choice("STEPWELL_MODE", allowed=("dev", "server"), default="server")
if STEPWELL_MODE == "server":
    credentials.require_server_keys(STEPWELL_SIGNING_KEY, STEPWELL_EVENT_KEYS)

ALLOWED_HOSTS = env.words("STEPWELL_ALLOWED_HOSTS")
credentials.refuse_development_values(SECRET_KEY, DEBUG, ALLOWED_HOSTS)

STEPWELL_ALLOW_PRIVATE_NETWORKS = env.flag("STEPWELL_ALLOW_PRIVATE_NETWORKS", default=False)

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
