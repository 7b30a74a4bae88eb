"""Who may listen to which topic: whoever may see the environment that the connection is of, to what is in it
(spec 05, 1.12).

Dev mode has one environment and asks for no session.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore

from apps.dashboard.support import access_by_session
from apps.engine import bridge
from apps.engine.store.client import RedisUnavailable
from apps.identity.models import User
from apps.realtime.topics import Topic
from apps.runs import selectors as runs
from apps.runs.models import Run
from apps.signin.session_limits import is_live
from apps.tenancy import networks
from apps.tenancy.access import Access, access_for
from apps.tenancy.exceptions import NotFound
from apps.tenancy.models import DEV_ENVIRONMENT_ID
from apps.tenancy.permissions import Permission
from apps.tenancy.row_security import tenant_scope

# For how long a listener may go on before it is asked again whether the session and the membership last.
RECHECK_SECONDS: Final = 30.0


class Listener:
    """The person behind a connection, from the scope that Channels' middleware for sessions has filled, and
    the place in its path."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._user = scope.get("user")
        self._session = scope.get("session")
        self._ip = (scope.get("client") or ("",))[0]
        self._place: Mapping[str, str] = scope.get("url_route", {}).get("kwargs", {})

    async def lasts(self) -> bool:
        """Whether the person is still signed in: the session may have been ended, or have come to its end."""
        return await database_sync_to_async(self._lasts)()

    def _lasts(self) -> bool:
        if settings.STEPWELL_MODE == "dev":
            return True
        if not isinstance(self._user, User) or self._session is None:
            return False
        return is_live(self._user.id, self._session.session_key or "")

    async def may_listen(self, topic: Topic) -> bool:
        return await database_sync_to_async(self._may_listen)(topic)

    def _may_listen(self, topic: Topic) -> bool:
        if settings.STEPWELL_MODE == "dev":
            return _is_of_dev_mode(topic)
        if not self._lasts():
            return False
        access = self._access()
        if access is None or access.environment is None or not access.has(Permission.VIEW):
            return False
        environment_id = access.environment.id
        with tenant_scope(access.account.id, environment_id):
            return _is_of(environment_id, topic)

    def _access(self) -> Access | None:
        """A member's, from where members may look; else that of an operator whose look is under way."""
        user = User.objects.filter(id=self._user.id).first() if self._user else None
        if user is None or "env" not in self._place:
            return None
        org, env = self._place["org"], self._place["env"]
        try:
            access = access_for(user, org, env)
        except NotFound:
            return access_by_session(self._session_now(), user, org, env)
        return access if networks.contains(access.account.allowed_networks, self._ip) else None

    def _session_now(self) -> Mapping[str, Any]:
        """Its content as it is by now: a look may have begun, or ended, since the connection was made."""
        stored: Mapping[str, Any] = SessionStore(self._session.session_key).load() if self._session else {}
        return stored


def _is_of(environment_id: UUID, topic: Topic) -> bool:
    """A run counts once history knows it, or the engine has begun it; of any other nobody can say whose it
    is."""
    if topic.environment_id is not None:
        return topic.environment_id == environment_id
    is_stored = runs.run_get(environment_id, topic.run_id) is not None
    return is_stored or _live_environment(topic.run_id) == environment_id


def _is_of_dev_mode(topic: Topic) -> bool:
    """A run that is not stored yet belongs to nobody else, so its page may wait for it."""
    if topic.environment_id is not None:
        return topic.environment_id == DEV_ENVIRONMENT_ID
    stored = Run.objects.filter(run_id=topic.run_id).values_list("environment_id", flat=True).first()
    return stored in (None, DEV_ENVIRONMENT_ID)


def _live_environment(run_id: str) -> UUID | None:
    try:
        owner = bridge.engine_call(lambda engine: engine.run_environment(run_id))
    except (RedisUnavailable, TimeoutError):
        return None
    return UUID(owner) if owner else None
