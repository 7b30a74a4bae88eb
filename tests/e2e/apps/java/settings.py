"""How the Kotlin double finds its server (spec 01 13.1): `INNGEST_DEV` is never a URL here."""

import os

from tests.e2e.apps.dialects import server_api

SDK = "inngest-kt:0.2.0"
APP_ID = os.environ.get("APP_ID", "java")
IS_DEV = os.environ.get("INNGEST_DEV", "1") == "1"
SIGNING_KEY = os.environ.get("INNGEST_SIGNING_KEY", "")
EVENT_KEY = os.environ.get("INNGEST_EVENT_KEY", "NO_EVENT_KEY_SET")

API_URL = server_api.base_url("INNGEST_API_BASE_URL")
EVENT_URL = server_api.base_url("INNGEST_BASE_URL")
