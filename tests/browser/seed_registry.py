"""Apps and functions of the seed."""

import uuid

from django.utils import timezone

from apps.engine.functions import (
    Batch,
    CancelRule,
    ConcurrencyLimit,
    Debounce,
    FunctionSpec,
    RateLimit,
    Throttle,
    Trigger,
    encode_spec,
)
from apps.registry.choices import SyncStatus
from apps.registry.models import App, Function, Sync
from tests.browser.seed_ids import (
    ACCOUNT_ID,
    BILLING,
    BROKEN,
    CHARGE,
    ENV_ID,
    FULFIL,
    IMPORT,
    LONG,
    LONG_EVENT,
    LONG_NAME,
    REPORT,
    SHOP,
)

_SHOP_URL = "http://localhost:3000/api/inngest"
_BILLING_URL = "http://localhost:8000/api/inngest"


def write() -> None:
    shop = _app(SHOP, "shop", _SHOP_URL, "js", "4.2.0", "express")
    billing = _app(BILLING, "billing-service", _BILLING_URL, "py", "0.5.19", "fast_api")
    App.objects.create(
        id=BROKEN,
        account_id=ACCOUNT_ID,
        environment_id=ENV_ID,
        url="http://localhost:3999/api/inngest",
        normalised_url="http://localhost:3999/api/inngest",
        error="unreachable",
        error_detail="connection refused",
        autodiscovered=True,
    )
    for app, spec in _specs(shop, billing):
        Function.objects.create(
            id=uuid.UUID(spec.id),
            account_id=ACCOUNT_ID,
            environment_id=ENV_ID,
            app=app,
            slug=spec.slug,
            name=spec.name,
            url=spec.url,
            version=spec.version,
            config="{}",
            config_hash="0",
            spec=encode_spec(spec).decode(),
        )


def _app(app_id: uuid.UUID, name: str, url: str, language: str, version: str, framework: str) -> App:
    app = App.objects.create(
        id=app_id,
        account_id=ACCOUNT_ID,
        environment_id=ENV_ID,
        name=name,
        url=url,
        normalised_url=url,
        sdk_language=language,
        sdk_version=version,
        framework=framework,
    )
    Sync.objects.create(
        account_id=ACCOUNT_ID,
        environment_id=ENV_ID,
        app=app,
        status=SyncStatus.SUCCESS,
        url=url,
        normalised_url=url,
        last_synced_at=timezone.now(),
    )
    return app


def _specs(shop: App, billing: App) -> list[tuple[App, FunctionSpec]]:
    return [
        (
            shop,
            _spec(
                shop,
                FULFIL,
                "shop-fulfil-order",
                "Fulfil order",
                triggers=(Trigger(event="shop/order.placed", expression="event.data.total > 0"),),
                cancel=(CancelRule("shop/order.cancelled", "async.data.orderId == event.data.orderId"),),
                concurrency=(ConcurrencyLimit(5, "event.data.customerId"),),
            ),
        ),
        (
            shop,
            _spec(
                shop,
                IMPORT,
                "shop-import-products",
                "Import products",
                triggers=(Trigger(event="shop/products.changed"),),
                batch=Batch(100, 5_000),
            ),
        ),
        (
            billing,
            _spec(
                billing,
                CHARGE,
                "billing-service-charge-card",
                "Charge card",
                triggers=(Trigger(event="billing/charge.requested"), Trigger(event="shop/order.placed")),
                throttle=Throttle(10, 60_000, key="event.data.customerId"),
                rate_limit=RateLimit(100, 3_600_000),
                finish_timeout_ms=3_600_000,
            ),
        ),
        (
            billing,
            _spec(
                billing,
                REPORT,
                "billing-service-nightly-report",
                "Nightly report",
                triggers=(Trigger(cron="TZ=Europe/Berlin 30 2 * * 1-5"),),
            ),
        ),
        (
            billing,
            _spec(
                billing,
                LONG,
                "billing-service-reconcile-every-settlement-of-the-payment-provider-with-the-ledger",
                LONG_NAME,
                triggers=(Trigger(event=LONG_EVENT),),
                debounce=Debounce(30_000, key="event.data.provider"),
            ),
        ),
    ]


def _spec(app: App, function_id: uuid.UUID, slug: str, name: str, **options: object) -> FunctionSpec:
    values: dict[str, object] = {
        "id": str(function_id),
        "slug": slug,
        "name": name,
        "app_id": str(app.id),
        "app_name": app.name,
        "env_id": str(ENV_ID),
        "account_id": str(ACCOUNT_ID),
        "version": 3,
        "url": f"{app.url}?fnId={slug}&stepId=step",
        **options,
    }
    return FunctionSpec(**values)  # type: ignore[arg-type]
