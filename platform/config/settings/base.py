"""All settings, with their environment variables. The thin modules beside this one only narrow them."""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parents[3]

env = environ.Env()

DATA_DIR = Path(env.str("STEPWELL_DATA_DIR", default=str(BASE_DIR / ".stepwell")))

# "dev" needs no keys and answers X-Inngest-Server-Kind: dev; "server" requires keys (kind: cloud).
STEPWELL_MODE = env.str("STEPWELL_MODE", default="dev")
STEPWELL_SHARD = env.str("STEPWELL_SHARD", default="0")
STEPWELL_SIGNING_KEY = env.str("STEPWELL_SIGNING_KEY", default=env.str("INNGEST_SIGNING_KEY", default=""))
STEPWELL_EVENT_KEYS = env.list("STEPWELL_EVENT_KEYS", default=env.list("INNGEST_EVENT_KEY", default=[]))
STEPWELL_RETRY_INTERVAL_SECONDS = env.int("STEPWELL_RETRY_INTERVAL", default=0)
STEPWELL_EVENT_MAX_BYTES = env.int("STEPWELL_EVENT_MAX_BYTES", default=3 * 1024 * 1024)
STEPWELL_ALLOW_PRIVATE_NETWORKS = env.bool("STEPWELL_ALLOW_PRIVATE_NETWORKS", default=True)
STEPWELL_WORKER_CONCURRENCY = env.int("STEPWELL_WORKER_CONCURRENCY", default=200)
STEPWELL_BASE_URL = env.str("STEPWELL_BASE_URL", default="http://127.0.0.1:8288")

SECRET_KEY = env.str("STEPWELL_SECRET_KEY", default="insecure-development-key")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("STEPWELL_ALLOWED_HOSTS", default=["*"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "graphene_django",
    "apps.tenancy",
    "apps.registry",
    "apps.events",
    "apps.runs",
    "apps.ingest",
    "apps.realtime",
    "apps.api",
    "apps.dashboard",
    "apps.devserver",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'stepwell.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; "
            "PRAGMA mmap_size=268435456; PRAGMA cache_size=-32000; PRAGMA foreign_keys=ON;"
        ),
    }

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "stepwell-live"},
    }
}

# Request bodies (events, registrations, checkpoints) are larger than Django's 2.5 MB default.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("STEPWELL_LOG_LEVEL", default="INFO").upper()},
}
