"""A service of the web process: at its start it writes the setup token of a fresh server to the log."""

import asyncio
import logging

from django.conf import settings
from django.db import close_old_connections

from apps.signin.services.setup import setup_token_issue

logger = logging.getLogger(__name__)


class SetupAnnouncer:
    name = "setup"

    async def run(self, stop: asyncio.Event) -> None:
        await asyncio.to_thread(_announce_in_thread)
        await stop.wait()


def announce_setup() -> None:
    """Only in server mode, with pages, and as long as there is no user. Whoever can read this log may own the
    server."""
    if settings.STEPWELL_MODE == "dev" or not settings.STEPWELL_UI:
        return
    token = setup_token_issue()
    if token is not None:
        base = settings.STEPWELL_BASE_URL.rstrip("/")
        text = "nobody has set up this server yet: open %s/setup?token=%s"
        logger.warning(text, base, token, extra={"shows_secret": True})


def _announce_in_thread() -> None:
    try:
        announce_setup()
    finally:
        close_old_connections()
