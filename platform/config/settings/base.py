"""All settings, with their environment variables. The thin modules beside this one only narrow them.

The second and later names of a reader are aliases: the server variables of the reference (spec 03 9.4).
"""

from pathlib import Path

import django_stubs_ext

from config.settings import credentials, security
from config.settings import environment as env
from config.settings.database import database
from config.settings.identity import *  # noqa: F403 who signs in has a module of its own
from config.settings.logs import logging_config

# Generic bases such as `ModelAdmin[App]` exist in the stubs only; this teaches them to Django's classes.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parents[3]

DATA_DIR = Path(env.text("STEPWELL_DATA_DIR", default=str(BASE_DIR / ".stepwell"))).absolute()

# "dev" needs no keys and answers X-Inngest-Server-Kind: dev; "server" requires keys (kind: cloud).
STEPWELL_MODE = env.choice("STEPWELL_MODE", allowed=("dev", "server"), default="dev")
STEPWELL_ROLES = env.choices("STEPWELL_ROLES", allowed=("web", "worker", "scheduler"), default=())
STEPWELL_SHARD = env.text("STEPWELL_SHARD", default="0")
STEPWELL_BASE_URL = env.text("STEPWELL_BASE_URL", default="http://127.0.0.1:8288")

STEPWELL_SIGNING_KEY = env.secret("STEPWELL_SIGNING_KEY", "INNGEST_SIGNING_KEY")
STEPWELL_SIGNING_KEY_FALLBACK = env.secret("STEPWELL_SIGNING_KEY_FALLBACK", "INNGEST_SIGNING_KEY_FALLBACK")
STEPWELL_EVENT_KEYS = env.secret_words("STEPWELL_EVENT_KEYS", "INNGEST_EVENT_KEY")
credentials.check_signing_key("STEPWELL_SIGNING_KEY", STEPWELL_SIGNING_KEY)
credentials.check_signing_key("STEPWELL_SIGNING_KEY_FALLBACK", STEPWELL_SIGNING_KEY_FALLBACK)
# Keys are a pair, or both live in the database; the supervisor may still get one of them as a flag.
if STEPWELL_MODE == "server" and STEPWELL_ROLES:
    credentials.check_key_pair(STEPWELL_SIGNING_KEY, STEPWELL_EVENT_KEYS)

# Whether there are pages and GraphQL.
STEPWELL_UI = not env.flag("STEPWELL_NO_UI", "INNGEST_NO_UI", default=False)
# Addresses or networks of proxies whose X-Forwarded-For and -Proto are believed.
STEPWELL_TRUSTED_PROXIES = env.words("STEPWELL_TRUSTED_PROXIES")
# Who may read /metrics in server mode, besides a signed-in operator.
STEPWELL_METRICS_TOKEN = env.secret("STEPWELL_METRICS_TOKEN")

# Apps to sync, and how they are found and watched (spec 03 9.6). The interval is in seconds.
STEPWELL_SDK_URLS = env.words("STEPWELL_SDK_URLS", "INNGEST_SDK_URL")
STEPWELL_DISCOVERY = env.flag("STEPWELL_DISCOVERY", default=False)
STEPWELL_POLL = env.flag("STEPWELL_POLL", default=False)
STEPWELL_POLL_INTERVAL = env.integer(
    "STEPWELL_POLL_INTERVAL", "INNGEST_POLL_INTERVAL", default=5, minimum=1, maximum=86_400
)

# Registration (spec 02 4.4 and 12.7): SDK versions that are refused, such as `js:3.22.0-3.53.1`.
STEPWELL_DENIED_SDK_VERSIONS = env.words("STEPWELL_DENIED_SDK_VERSIONS")
STEPWELL_BATCH_MAX_SIZE = env.integer("STEPWELL_BATCH_MAX_SIZE", default=1_000, minimum=2, maximum=100_000)

# 0: the exponential table of spec 02; otherwise every retry waits this long.
STEPWELL_RETRY_INTERVAL_SECONDS = env.integer(
    "STEPWELL_RETRY_INTERVAL", "INNGEST_RETRY_INTERVAL", default=0, minimum=0, maximum=31_536_000
)
# The work of a worker that dies goes to another when its leases end; a live worker extends them.
STEPWELL_LEASE_SECONDS = env.integer("STEPWELL_LEASE_SECONDS", default=20, minimum=2, maximum=3600)
# What a worker that is told to stop gives its calls in flight before it hands their work back to the queue.
STEPWELL_DRAIN_SECONDS = env.integer("STEPWELL_DRAIN_SECONDS", default=5, minimum=0, maximum=600)
STEPWELL_EVENT_MAX_BYTES = env.integer("STEPWELL_EVENT_MAX_BYTES", default=3 * 1024 * 1024, minimum=1024)
# Processes of a web process that run the scripts of webhooks, started with the first of them.
STEPWELL_TRANSFORM_WORKERS = env.integer("STEPWELL_TRANSFORM_WORKERS", default=2, minimum=1, maximum=64)
STEPWELL_ALLOW_PRIVATE_NETWORKS = env.flag("STEPWELL_ALLOW_PRIVATE_NETWORKS", default=True)
STEPWELL_WORKER_CONCURRENCY = env.integer(
    "STEPWELL_WORKER_CONCURRENCY", "INNGEST_QUEUE_WORKERS", default=200, minimum=1, maximum=100_000
)

# Flow control (spec 02, chapters 3 and 4): how a rate limit counts, how far a priority may move a run, and
# how many steps of an account run at a time that has no limit of its own.
STEPWELL_RATE_LIMIT_MODE = env.choice(
    "STEPWELL_RATE_LIMIT_MODE", allowed=("window", "gcra"), default="window"
)
STEPWELL_PRIORITY_SECONDS = env.integer("STEPWELL_PRIORITY_SECONDS", default=600, minimum=0, maximum=43_200)
STEPWELL_ACCOUNT_CONCURRENCY = env.integer(
    "STEPWELL_ACCOUNT_CONCURRENCY", default=1_000, minimum=1, maximum=1_000_000
)

# Whether an entry of the audit log that holds a secret is refused; otherwise the secret is redacted.
STEPWELL_AUDIT_STRICT = False

# Limits of accounts without their own (apps/tenancy/entitlements.py), such as {"ingest_per_second": 500}.
STEPWELL_ENTITLEMENTS = env.limits("STEPWELL_ENTITLEMENTS", known=credentials.ENTITLEMENTS)

# What stored credentials are encrypted and hashed with: the first makes, all of them read. None: SECRET_KEY.
STEPWELL_ENCRYPTION_KEYS = env.secret_words("STEPWELL_ENCRYPTION_KEYS")
credentials.check_encryption_keys(STEPWELL_ENCRYPTION_KEYS)

SECRET_KEY = env.secret("STEPWELL_SECRET_KEY", default=credentials.DEVELOPMENT_SECRET_KEY)
DEBUG = env.flag("DEBUG", default=False)
ALLOWED_HOSTS = env.words("STEPWELL_ALLOWED_HOSTS") or ["*"]

INSTALLED_APPS = [
    "apps.dashboard.console.apps.ConsoleConfig",  # Django's admin with our site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "graphene_django",
    *IDENTITY_APPS,
    "apps.tenancy",
    "apps.credentials",
    "apps.audit",
    "apps.audit_sinks",
    "apps.registry",
    "apps.events",
    "apps.runs",
    "apps.operations",
    "apps.ingest",
    "apps.webhooks",
    "apps.realtime",
    "apps.api",
    "apps.dashboard",
    "apps.devserver",
    "apps.server",
]

MIDDLEWARE = [
    "apps.server.requests.note_request",
    "apps.api.middleware.server_headers",
    "apps.server.null_characters.refuse_null_characters",
    "django.middleware.security.SecurityMiddleware",
    "apps.server.headers.PageHeadersMiddleware",
    "apps.dashboard.static_files.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    *IDENTITY_MIDDLEWARE,
    "apps.tenancy.row_security.leave_after_request",
    "apps.dashboard.tenant.TenantMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

APPEND_SLASH = False
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

REDIS_URL = env.secret("REDIS_URL", "INNGEST_REDIS_URI", default="redis://127.0.0.1:6379/0")

DATABASE_URL = env.secret(
    "DATABASE_URL", "INNGEST_POSTGRES_URI", default=f"sqlite:///{DATA_DIR / 'stepwell.sqlite3'}"
)
DATABASES = {"default": database(DATABASE_URL)}

# Shared by all processes: rate limits of signing in, answers of identity providers that were used once.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "stepwell-cache",
    }
}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "stepwell-live"},
    }
}

# Request bodies (events, registrations, checkpoints) are larger than Django's 2.5 MB default; a page's forms
# hold an event at most. Longer ones are refused before they are read (apps/server/body_limit.py).
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024
STEPWELL_PAGE_MAX_BYTES = 8 * 1024 * 1024

CONTENT_SECURITY_POLICY = security.CONTENT_SECURITY_POLICY
PERMISSIONS_POLICY = security.PERMISSIONS_POLICY
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

GRAPHENE = {"SCHEMA": "apps.api.graphql.schema.schema"}

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("STEPWELL_STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives any outage of its broker
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

LOG_LEVEL = env.choice(
    "LOG_LEVEL",
    "STEPWELL_LOG_LEVEL",
    "INNGEST_LOG_LEVEL",
    allowed=("TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR"),
    default="INFO",
)
LOG_LEVEL = {"TRACE": "DEBUG", "WARN": "WARNING"}.get(LOG_LEVEL, LOG_LEVEL)

# One JSON object per line, or lines for people ("dev" and "text" of the reference's LOG_HANDLER).
STEPWELL_LOG_FORMAT = env.choice(
    "STEPWELL_LOG_FORMAT", "LOG_HANDLER", allowed=("json", "text", "dev"), default="text"
)
LOGGING = logging_config(STEPWELL_LOG_FORMAT, LOG_LEVEL)
