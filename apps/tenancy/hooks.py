"""What the apps above tenancy do when a person leaves an account or owns it no more, and when an environment
is erased.

They are registered at import, by each app's `ready`, since tenancy itself knows none of them.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from apps.audit.actors import Actor

Departure = Callable[[UUID, UUID], None]
StepDown = Callable[[UUID, UUID, Actor], None]
Erasure = Callable[[Sequence[UUID]], int]

_departures: list[Departure] = []
_steps_down: list[StepDown] = []
_erasures: list[Erasure] = []


def on_departure(act: Departure) -> Departure:
    """`act(account_id, user_id)` runs in the transaction that ends the membership."""
    if act not in _departures:
        _departures.append(act)
    return act


def on_owner_step_down(act: StepDown) -> StepDown:
    """`act(account_id, user_id, actor)` runs in the transaction that takes an owner's role, or membership."""
    if act not in _steps_down:
        _steps_down.append(act)
    return act


def on_erasure(act: Erasure) -> Erasure:
    """`act(environment_ids)` deletes what no foreign key leads to, in transactions of its own; how many rows.

    It may be called again for the same environments, and after they are gone.
    """
    if act not in _erasures:
        _erasures.append(act)
    return act


def member_departs(account_id: UUID, user_id: UUID) -> None:
    for act in _departures:
        act(account_id, user_id)


def owner_steps_down(account_id: UUID, user_id: UUID, actor: Actor) -> None:
    for act in _steps_down:
        act(account_id, user_id, actor)


def erase(environment_ids: Sequence[UUID]) -> int:
    """Everything of the environments that no foreign key leads to; how many rows."""
    return sum(act(environment_ids) for act in _erasures)
