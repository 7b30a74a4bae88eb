"""URLs of `dashboard`."""

from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from apps.dashboard.views import (
    apps,
    draining,
    events,
    functions,
    palette,
    run_beside,
    run_selection,
    runs,
    start,
    syncs,
)
from apps.dashboard.views.manage import (
    event_keys,
    settings,
    signing_key,
    webhook_intent,
    webhook_testing,
    webhooks,
)

app_name = "dashboard"

_KEY = "manage/keys/<uuid:key_id>"
_SIGNING = "manage/signing-key"
_HOOK = "manage/webhooks/<uuid:webhook_id>"
_DELIVERY = f"{_HOOK}/deliveries/<str:delivery_id>"

manage: list[URLPattern | URLResolver] = [
    path("manage", RedirectView.as_view(pattern_name="dashboard:event-keys"), name="manage"),
    path("manage/keys", event_keys.event_keys, name="event-keys"),
    path("manage/keys/create", event_keys.create, name="event-key-create"),
    path(_KEY, event_keys.event_key, name="event-key"),
    path(f"{_KEY}/rename", event_keys.rename, name="event-key-rename"),
    path(f"{_KEY}/reveal", event_keys.reveal, name="event-key-reveal"),
    path(f"{_KEY}/filter", event_keys.set_filter, name="event-key-filter"),
    path(f"{_KEY}/revoke", event_keys.revoke, name="event-key-revoke"),
    path(_SIGNING, signing_key.signing_key, name="signing-key"),
    path(f"{_SIGNING}/create", signing_key.create, name="signing-key-create"),
    path(f"{_SIGNING}/delete", signing_key.delete, name="signing-key-delete"),
    path(f"{_SIGNING}/rotate", signing_key.rotate, name="signing-key-rotate"),
    path(f"{_SIGNING}/<uuid:key_id>/reveal", signing_key.reveal, name="signing-key-reveal"),
    path(f"{_SIGNING}/<uuid:key_id>/revoke", signing_key.revoke, name="signing-key-revoke"),
    path("manage/webhooks", webhooks.webhooks, name="webhooks"),
    path("manage/webhooks/create", webhooks.create, name="webhook-create"),
    path(_HOOK, webhooks.webhook, name="webhook"),
    path(f"{_HOOK}/rename", webhooks.rename, name="webhook-rename"),
    path(f"{_HOOK}/delete", webhooks.delete, name="webhook-delete"),
    path(f"{_HOOK}/reveal", webhooks.reveal, name="webhook-reveal"),
    path(f"{_HOOK}/scripts", webhooks.scripts, name="webhook-scripts"),
    path(f"{_HOOK}/verification", webhooks.verification, name="webhook-verification"),
    path(f"{_HOOK}/filter", webhooks.set_filter, name="webhook-filter"),
    path(f"{_HOOK}/test", webhook_testing.test, name="webhook-test"),
    path(f"{_HOOK}/send", webhook_testing.send, name="webhook-send"),
    path(_DELIVERY, webhooks.delivery, name="webhook-delivery"),
    path(f"{_DELIVERY}/redeliver", webhooks.redeliver, name="webhook-redeliver"),
    path("intent/create-webhook", webhook_intent.webhook_intent, name="webhook-intent"),
    path("intent/create-webhook/approve", webhook_intent.approve, name="webhook-intent-approve"),
    path("settings", settings.settings_page, name="settings"),
    path("settings/<slug:what>", settings.save, name="settings-save"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="dashboard:runs"), name="home"),
    path("runs", runs.runs, name="runs"),
    path("runs/<str:run_id>", runs.run, name="run"),
    path("runs/<str:run_id>/beside", run_beside.beside, name="run-beside"),
    path("runs/<str:run_id>/payload", runs.run_payload, name="run-payload"),
    path("runs/<str:run_id>/cancel", runs.cancel, name="run-cancel"),
    path("runs/selected/<str:run_ids>/cancel", run_selection.cancel_selected, name="runs-cancel"),
    path("runs/<str:run_id>/rerun", runs.rerun, name="run-rerun"),
    path("events", events.events, name="events"),
    path("events/send", events.send, name="event-send"),
    path("events/<str:internal_id>", events.event, name="event"),
    path("events/<str:internal_id>/payload", events.event_payload, name="event-payload"),
    path("functions", functions.functions, name="functions"),
    path("functions/<path:slug>/pause", functions.pause, name="function-pause"),
    path("functions/<path:slug>/resume", functions.resume, name="function-resume"),
    path("functions/<path:slug>/drain", draining.drain, name="function-drain"),
    path("functions/<path:slug>/undrain", draining.undrain, name="function-undrain"),
    path("functions/<path:slug>/invoke", functions.invoke, name="function-invoke"),
    path("functions/<path:slug>", functions.function, name="function"),
    path("apps", apps.app_list, name="apps"),
    path("apps/add", apps.app_add, name="app-add"),
    path("apps/<uuid:app_id>/syncs", syncs.app_syncs, name="app-syncs"),
    path("unattached-syncs", syncs.unattached_syncs, name="unattached-syncs"),
    path("apps/<uuid:app_id>/sync", apps.app_sync, name="app-sync"),
    path("apps/<uuid:app_id>/remove", apps.app_remove, name="app-remove"),
    path("palette", palette.palette, name="palette"),
    path("start", start.start, name="start"),
    *manage,
]
