"""A service of the web process: once an hour, sessions whose time is over are deleted from the database."""

import asyncio
import logging
from typing import Final

from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, close_old_connections

from apps.engine.services import wait_for

EVERY_SECONDS: Final = 3600.0

logger = logging.getLogger(__name__)


class SessionSweeper:
    """Any number of processes may do it at a time."""

    name = "sessions"

    async def run(self, stop: asyncio.Event) -> None:
        while not await wait_for(stop, EVERY_SECONDS):
            await asyncio.to_thread(_sweep_in_thread)


def sweep() -> None:
    try:
        SessionStore.clear_expired()
    except DatabaseError as problem:
        logger.warning("sessions that have ended stay an hour longer: %s", problem)


def _sweep_in_thread() -> None:
    try:
        sweep()
    finally:
        close_old_connections()
