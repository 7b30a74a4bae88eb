"""One function configuration (spec 01 4.6)."""

import re

import orjson

from apps.engine.functions import FunctionSpec
from apps.registry.validation.batching import read_batch
from apps.registry.validation.cancellation import read_cancellations, read_timeout
from apps.registry.validation.concurrency import read_concurrency
from apps.registry.validation.debounce import read_debounce
from apps.registry.validation.fields import Fields
from apps.registry.validation.limits import MAX_NAME_BYTES, Limits
from apps.registry.validation.ordering import read_priority, read_singleton
from apps.registry.validation.problems import Problems
from apps.registry.validation.rates import read_rate_limit, read_throttle
from apps.registry.validation.results import RegisteredFunction
from apps.registry.validation.steps import read_step
from apps.registry.validation.triggers import read_triggers

_NOT_SLUG = re.compile(r"[^a-z0-9]+")


def read_function(value: object, path: str, app_name: str, limits: Limits) -> RegisteredFunction | Problems:
    """The function in normalised form, or all that is wrong with it. Raises InvalidRequestError."""
    fields = Fields(value, path)
    name = fields.text("name")
    slug = fields.text("id") or _slugify(name)
    problems = Problems(slug or path)
    _check_identity(slug, name, problems)
    spec = _read_spec(fields, slug, name, app_name, problems, limits)
    if problems.texts:
        return problems
    return RegisteredFunction(spec, orjson.dumps(value), _warnings(fields, spec))


def _slugify(name: str) -> str:
    return _NOT_SLUG.sub("-", name.lower()).strip("-")


def _check_identity(slug: str, name: str, problems: Problems) -> None:
    if not name.strip():
        problems.add("A function name is required")
    elif not slug:
        problems.add("A function id is required")
    if len(slug.encode()) > MAX_NAME_BYTES:
        problems.add(f"function id is too long. maximum length is {MAX_NAME_BYTES} characters")


def _read_spec(
    fields: Fields, slug: str, name: str, app_name: str, problems: Problems, limits: Limits
) -> FunctionSpec:
    step = read_step(fields, problems)
    triggers = read_triggers(fields, problems)
    concurrency, run_concurrency = read_concurrency(fields, problems)
    batch = read_batch(fields, problems, limits)
    rate_limit = read_rate_limit(fields, problems)
    return FunctionSpec(
        id="",
        slug=slug,
        name=name,
        app_id="",
        app_name=app_name,
        env_id="",
        account_id="",
        version=0,
        url=step.url,
        step_id=step.id,
        retries=step.retries,
        triggers=triggers,
        cancel=read_cancellations(fields, problems),
        concurrency=concurrency,
        run_concurrency=run_concurrency,
        throttle=read_throttle(fields, problems),
        rate_limit=None if batch else rate_limit,
        debounce=read_debounce(fields, problems),
        batch=batch,
        priority=read_priority(fields, problems),
        singleton=read_singleton(fields, problems),
        start_timeout_ms=read_timeout(fields, "start", problems),
        finish_timeout_ms=read_timeout(fields, "finish", problems),
    )


def _warnings(fields: Fields, spec: FunctionSpec) -> tuple[str, ...]:
    """Settings that a batched function does not use (spec 02 4.8)."""
    if spec.batch is None:
        return ()
    ignored = [name for name in ("rateLimit", "idempotency") if name in fields]
    return tuple(f"{name} is ignored for batched functions" for name in ignored)
