"""Concurrency limits in all their shapes (spec 01 4.6, spec 02 3.2 and 3.7)."""

from apps.engine.functions import ConcurrencyLimit, RunConcurrencyLimit
from apps.registry.validation.fields import Fields, InvalidRequestError, as_integer
from apps.registry.validation.limits import MAX_RUN_CONCURRENCY, MAX_STEP_CONCURRENCY
from apps.registry.validation.problems import Problems

_SCOPES = ("fn", "env", "account")

Limits = tuple[tuple[ConcurrencyLimit, ...], tuple[RunConcurrencyLimit, ...]]


def read_concurrency(fields: Fields, problems: Problems) -> Limits:
    """The limits of concurrent steps and those of concurrent runs."""
    value, path = fields.value("concurrency"), fields.child_path("concurrency")
    if isinstance(value, dict) and _is_split(split := Fields(value, path)):
        steps = _entries(split.value("step"), split.child_path("step"))
        runs = _entries(split.value("fn"), split.child_path("fn"))
        return _read_step_limits(steps, problems), _read_run_limits(runs, problems)
    return _read_step_limits(_entries(value, path), problems), ()


def _is_split(fields: Fields) -> bool:
    return ("step" in fields or "fn" in fields) and "limit" not in fields


def _entries(value: object, path: str) -> list[Fields]:
    """A number, an object or an array as a list of objects."""
    if value is None:
        return []
    if isinstance(value, list):
        return [_entry(item, f"{path}[{index}]") for index, item in enumerate(value)]
    return [_entry(value, path)]


def _entry(value: object, path: str) -> Fields:
    if isinstance(value, dict):
        return Fields(value, path)
    return Fields({"limit": as_integer(value, path)}, path)


def _check_count(entries: list[Fields], allowed: int, problems: Problems) -> None:
    if len(entries) > allowed:
        problems.add(f"There are more concurrency limits specified than the allowed max of: {allowed}")


def _read_step_limits(entries: list[Fields], problems: Problems) -> tuple[ConcurrencyLimit, ...]:
    _check_count(entries, MAX_STEP_CONCURRENCY, problems)
    limits = [_read_step_limit(entry, problems) for entry in entries]
    if sum(1 for limit in limits if limit.scope == "fn" and not limit.key) > 1:
        problems.add("Only one function concurrency limit is allowed")
    # A limit of 0 limits nothing (spec 02 3.2).
    return tuple(limit for limit in limits if limit.limit > 0)


def _read_step_limit(entry: Fields, problems: Problems) -> ConcurrencyLimit:
    limit, key, scope = entry.integer("limit"), entry.text("key"), _read_scope(entry)
    if limit < 0:
        problems.add("concurrency limit must be >= 0")
    if scope != "fn" and not key:
        problems.add(f"A concurrency key must be specified for {scope.capitalize()} scoped limits")
    problems.check_expression(key, f"Invalid concurrency key '{key}'")
    return ConcurrencyLimit(limit=limit, key=key, scope=scope)


def _read_scope(entry: Fields) -> str:
    scope = entry.text("scope") or "fn"
    if scope.lower() not in _SCOPES:
        raise InvalidRequestError(f"{scope} does not belong to ConcurrencyScope values")
    return scope.lower()


def _read_run_limits(entries: list[Fields], problems: Problems) -> tuple[RunConcurrencyLimit, ...]:
    _check_count(entries, MAX_RUN_CONCURRENCY, problems)
    return tuple(_read_run_limit(entry, problems) for entry in entries)


def _read_run_limit(entry: Fields, problems: Problems) -> RunConcurrencyLimit:
    limit, key, scope = entry.integer("limit"), entry.text("key"), entry.text("scope")
    if limit <= 0:
        problems.add("function concurrency limit must be > 0")
    if scope.lower() == "app":
        problems.add("app-scoped function concurrency cannot be set by users")
    elif scope.lower() not in ("", "fn"):
        problems.add(f"invalid function concurrency scope: {scope}")
    problems.check_expression(key, f"invalid function concurrency key '{key}'")
    return RunConcurrencyLimit(limit=limit, key=key)
