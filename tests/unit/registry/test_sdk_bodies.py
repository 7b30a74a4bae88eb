"""Bodies that released SDKs sent (TypeScript 4.24.0, Python 0.5.19), and Go's as spec 01 13.3 has it."""

import pytest

from apps.engine.functions import (
    Batch,
    CancelRule,
    ConcurrencyLimit,
    Debounce,
    FunctionSpec,
    RateLimit,
    RunConcurrencyLimit,
    Singleton,
    Throttle,
    Trigger,
)
from apps.registry.validation import Registration, RegistrationHead
from tests.unit.registry.bodies import accepted, sdk_body

HOUR_MS = 3_600_000
CONCURRENCY = (ConcurrencyLimit(limit=3), ConcurrencyLimit(limit=5, key="event.data.k", scope="account"))
CANCEL = (CancelRule(event="x/stop", expression="event.data.id == async.data.id", timeout="1h"),)
BATCH = Batch(max_size=3, timeout_ms=5_000)


def specs(registration: Registration) -> dict[str, FunctionSpec]:
    return {item.slug: item.spec for item in registration.functions}


def head_without_checksum(registration: Registration) -> RegistrationHead:
    head = registration.head
    return RegistrationHead(
        app_name=head.app_name,
        url=head.url,
        sdk_language=head.sdk_language,
        sdk_version=head.sdk_version,
        framework=head.framework,
        platform=head.platform,
        app_version=head.app_version,
    )


def expected_spec(app: str, port: int, fn: str, name: str, **settings: object) -> FunctionSpec:
    slug = f"{app}-{fn}"
    step = settings.pop("step_parameter", "stepId=step")
    url = f"http://127.0.0.1:{port}/api/inngest?fnId={slug}&{step}"
    return FunctionSpec(
        id="",
        slug=slug,
        name=name,
        app_id="",
        app_name=app,
        env_id="",
        account_id="",
        version=0,
        url=url,
        **settings,  # type: ignore[arg-type]  # fields of the struct, checked when it is compared
    )


def failure_trigger(slug: str) -> tuple[Trigger, ...]:
    return (Trigger(event="inngest/function.failed", expression=f"event.data.function_id == '{slug}'"),)


@pytest.mark.parametrize("name", ["typescript_register", "typescript_in_band"])
def test_typescript(name: str) -> None:
    registration = accepted(sdk_body(name))

    assert head_without_checksum(registration) == RegistrationHead(
        app_name="shop",
        url="http://127.0.0.1:18398/api/inngest",
        sdk_language="js",
        sdk_version="v4.24.0",
        framework="nodejs",
    )
    assert specs(registration) == {
        "shop-cfg": expected_spec(
            "shop",
            18398,
            "cfg",
            "Config",
            retries=7,
            triggers=(
                Trigger(event="demo/cfg", expression="event.data.ok == true"),
                Trigger(cron="TZ=Europe/Paris 0 0 1 1 *"),
            ),
            cancel=CANCEL,
            concurrency=CONCURRENCY,
            throttle=Throttle(limit=10, period_ms=HOUR_MS, burst=2, key="event.data.k"),
            rate_limit=RateLimit(limit=1, period_ms=24 * HOUR_MS, key="event.data.id"),
            debounce=Debounce(period_ms=30_000, key="event.data.k"),
            priority="event.data.p",
            singleton=Singleton(mode="skip", key="event.data.k"),
            start_timeout_ms=10_000,
            finish_timeout_ms=60_000,
        ),
        "shop-cfg-failure": expected_spec(
            "shop",
            18398,
            "cfg-failure",
            "Config (failure)",
            retries=1,
            triggers=failure_trigger("shop-cfg"),
        ),
        "shop-batch": expected_spec(
            "shop",
            18398,
            "batch",
            "batch",
            triggers=(Trigger(event="b"),),
            concurrency=(ConcurrencyLimit(limit=5),),
            batch=Batch(max_size=3, timeout_ms=5_000, key="event.data.k"),
        ),
    }


def test_typescript_checksum_is_the_same_in_band_and_out_of_band() -> None:
    in_band, out_of_band = (accepted(sdk_body(f"typescript_{kind}")) for kind in ("in_band", "register"))

    assert in_band.head.checksum == out_of_band.head.checksum


def test_python() -> None:
    registration = accepted(sdk_body("python_register"))

    assert head_without_checksum(registration) == RegistrationHead(
        app_name="pyshop",
        url="http://127.0.0.1:18397/api/inngest",
        sdk_language="py",
        sdk_version="v0.5.19",
        framework="flask",
    )
    assert specs(registration) == {
        "pyshop-cfg": expected_spec(
            "pyshop",
            18397,
            "cfg",
            "Config",
            retries=7,
            triggers=(
                Trigger(event="demo/cfg", expression="event.data.ok == true"),
                Trigger(cron="0 0 1 1 *"),
            ),
            cancel=CANCEL,
            concurrency=CONCURRENCY,
            throttle=Throttle(limit=10, period_ms=HOUR_MS, burst=2, key="event.data.k"),
            rate_limit=RateLimit(limit=100, period_ms=60_000, key="event.data.k"),
            debounce=Debounce(period_ms=30_000, key="event.data.k"),
            priority="event.data.p",
            singleton=Singleton(mode="cancel", key="event.data.k"),
            start_timeout_ms=10_000,
            finish_timeout_ms=60_000,
        ),
        "pyshop-cfg-failure": expected_spec(
            "pyshop",
            18397,
            "cfg-failure",
            "Config (failure)",
            retries=0,
            triggers=failure_trigger("pyshop-cfg"),
        ),
        "pyshop-batch": expected_spec(
            "pyshop", 18397, "batch", "batch", triggers=(Trigger(event="b"),), batch=BATCH
        ),
    }


def test_python_in_band() -> None:
    registration = accepted(sdk_body("python_in_band"))

    assert head_without_checksum(registration) == RegistrationHead(
        app_name="pyshop",
        url="http://127.0.0.1:18397/api/inngest",
        sdk_language="py",
        sdk_version="v0.5.19",
        framework="flask",
    )
    assert specs(registration) == {
        "pyshop-a": expected_spec("pyshop", 18397, "a", "a", triggers=(Trigger(event="a"),))
    }


def test_go() -> None:
    registration = accepted(sdk_body("go_register"))

    assert head_without_checksum(registration) == RegistrationHead(
        app_name="goshop",
        url="http://127.0.0.1:18396/api/inngest",
        sdk_language="go",
        sdk_version="v0.16.0",
        platform="render",
    )
    assert specs(registration) == {
        "goshop-cfg": expected_spec(
            "goshop",
            18396,
            "cfg",
            "Cfg",
            step_parameter="step=step",
            triggers=(Trigger(event="go/cfg"),),
            concurrency=(ConcurrencyLimit(limit=2, key="event.data.k"),),
            run_concurrency=(RunConcurrencyLimit(limit=3),),
            throttle=Throttle(limit=10, period_ms=HOUR_MS),
        ),
        "goshop-one": expected_spec(
            "goshop",
            18396,
            "one",
            "One",
            step_parameter="step=step",
            retries=2,
            triggers=(Trigger(cron="*/5 * * * *"),),
            singleton=Singleton(mode="skip", key="event.data.k"),
        ),
    }
