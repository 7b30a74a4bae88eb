"""Who may listen to which topic. One development environment exists: its topics are open to all.

Accounts and their members will be checked here, at the time of subscribing.
"""

from channels.db import database_sync_to_async

from apps.realtime.topics import Topic
from apps.runs.models import Run
from apps.tenancy.models import DEV_ENVIRONMENT_ID


async def may_listen(topic: Topic) -> bool:
    """A run that is not stored yet belongs to nobody else, so its page may wait for it."""
    if topic.environment_id is not None:
        return topic.environment_id == DEV_ENVIRONMENT_ID
    return await _run_is_of_environment(topic.run_id)


@database_sync_to_async
def _run_is_of_environment(run_id: str) -> bool:
    owner = Run.objects.filter(run_id=run_id).values_list("environment_id", flat=True).first()
    return owner is None or owner == DEV_ENVIRONMENT_ID
