"""Who may listen to which topic: whoever may see the environment (spec 05, 1.12).

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
from apps.runs.models import Run
from apps.signin.session_limits import is_live
from apps.tenancy import networks
from apps.tenancy.access import Access, access_for
from apps.tenancy.exceptions import NotFound
from apps.tenancy.models import DEV_ENVIRONMENT_ID, Environment
from apps.tenancy.permissions import Permission

# For how long a listener may go on before it is asked again whether the session and the membership last.
RECHECK_SECONDS: Final = 30.0


class Listener:
    """The person behind a connection, from the scope that Channels' middleware for sessions has filled."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._user = scope.get("user")
        self._session = scope.get("session")
        self._ip = (scope.get("client") or ("",))[0]

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
        environment_id = topic.environment_id or _environment_of_run(topic.run_id)
        return environment_id is not None and self._sees(environment_id)

    def _sees(self, environment_id: UUID) -> bool:
        environment = Environment.objects.select_related("account").filter(id=environment_id).first()
        user = User.objects.filter(id=self._user.id).first() if self._user else None
        if environment is None or user is None:
            return False
        access = self._access(user, environment)
        return access is not None and access.has(Permission.VIEW)

    def _access(self, user: User, environment: Environment) -> Access | None:
        """A member's, from where members may look; else that of an operator whose look is under way."""
        account = environment.account
        try:
            access = access_for(user, account.slug, environment.slug)
        except NotFound:
            return access_by_session(self._session_now(), user, account.slug, environment.slug)
        return access if networks.contains(account.allowed_networks, self._ip) else None

    def _session_now(self) -> Mapping[str, Any]:
        """Its content as it is by now: a look may have begun, or ended, since the connection was made."""
        stored: Mapping[str, Any] = SessionStore(self._session.session_key).load() if self._session else {}
        return stored


def _is_of_dev_mode(topic: Topic) -> bool:
    """A run that is not stored yet belongs to nobody else, so its page may wait for it."""
    if topic.environment_id is not None:
        return topic.environment_id == DEV_ENVIRONMENT_ID
    return _stored_environment(topic.run_id) in (None, DEV_ENVIRONMENT_ID)


def _environment_of_run(run_id: str) -> UUID | None:
    """Of a run that history knows, or that the engine has begun; of any other nobody can say whose it is."""
    return _stored_environment(run_id) or _live_environment(run_id)


def _stored_environment(run_id: str) -> UUID | None:
    return Run.objects.filter(run_id=run_id).values_list("environment_id", flat=True).first()


def _live_environment(run_id: str) -> UUID | None:
    try:
        owner = bridge.engine_call(lambda engine: engine.run_environment(run_id))
    except (RedisUnavailable, TimeoutError):
        return None
    return UUID(owner) if owner else None
