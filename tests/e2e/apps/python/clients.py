"""The client that the modules of functions share."""

import os

import inngest

client = inngest.Inngest(app_id=os.environ.get("APP_ID", "py"), is_production=None)
