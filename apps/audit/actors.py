"""Who did something, and from where."""

from dataclasses import dataclass

from apps.audit.models import ActorKind


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` names a user or a credential; `label` is what people read, and stays when the actor is gone."""

    kind: ActorKind
    id: str
    label: str
    ip: str | None = None
    user_agent: str = ""
    request_id: str = ""


SYSTEM = Actor(ActorKind.SYSTEM, "", "Stepwell")
