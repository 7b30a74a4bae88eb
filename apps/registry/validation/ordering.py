"""Priority and singleton (spec 02 4.5 and 4.6)."""

from apps.engine.functions import Singleton
from apps.registry.validation.fields import Fields, InvalidRequestError
from apps.registry.validation.problems import Problems

_MODES = ("skip", "cancel")


def read_priority(fields: Fields, problems: Problems) -> str:
    priority = fields.child("priority")
    expression = priority.text("run") if priority else ""
    return problems.check_expression(expression, "Priority.Run expression is invalid")


def read_singleton(fields: Fields, problems: Problems) -> Singleton | None:
    singleton = fields.child("singleton")
    if singleton is None:
        return None
    mode = singleton.text("mode") or "skip"
    if mode.lower() not in _MODES:
        raise InvalidRequestError(f"{mode} does not belong to SingletonMode values")
    key = problems.check_expression(singleton.text("key"), "Singleton expression is invalid")
    return Singleton(mode=mode.lower(), key=key)
