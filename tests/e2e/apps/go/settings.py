"""How the Go double finds its server (spec 01 13.1)."""

import os

from tests.e2e.apps.dialects import server_api

SDK = "go:v0.16.0"
APP_ID = os.environ.get("APP_ID", "go")
IS_DEV = bool(os.environ.get("INNGEST_DEV"))
SIGNING_KEY = os.environ.get("INNGEST_SIGNING_KEY", "")
EVENT_KEY = os.environ.get("INNGEST_EVENT_KEY", "NO_EVENT_KEY_SET")
ALLOWS_UNSIGNED_SYNC = os.environ.get("INNGEST_ENABLE_UNAUTHED_SYNC") == "true"
STREAMS = os.environ.get("GO_STREAMING") == "true"

API_URL = server_api.base_url("INNGEST_API_BASE_URL", "INNGEST_BASE_URL", "INNGEST_DEV")
EVENT_URL = server_api.base_url("INNGEST_EVENT_API_BASE_URL", "INNGEST_BASE_URL", "INNGEST_DEV")
# The checkpoint client reads the option of the client and INNGEST_DEV, no other variable.
CHECKPOINT_URL = server_api.base_url("GO_OPTION_API_BASE_URL", "INNGEST_DEV")
