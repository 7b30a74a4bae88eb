"""The case of each page: what it takes to ask for it well, and what permission it needs.

A page of an environment is asked for below `/o/<organisation>/env/<environment>`, one of an organisation at
its own path. `ids` are the parameters of the path that name a place's things; `fixed` are other parameters;
`post` is the form that the right person sends; None: the page takes none.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from apps.tenancy.permissions import Permission as P
from tests.isolation.cast import Place

Ids = Callable[[Place], Mapping[str, object]]
Form = Mapping[str, object]


def _none(place: Place) -> Mapping[str, object]:
    return {}


def _id(parameter: str, name: str = "", **more: str) -> Ids:
    """The parameter of the path is the id of that name; `more` has further ones."""
    names = {parameter: name or parameter.removesuffix("_id"), **more}
    return lambda place: {key: place.ids[known] for key, known in names.items()}


@dataclass(frozen=True)
class Page:
    """`permission`: None where every member may ask. `takes_get`: False where only a form is taken.
    `changes`: False where the good form changes nothing here, as one that calls an app which is away.
    `is_reading_recorded`: asking for it is in the audit log, since data leaves the server."""

    permission: P | None
    ids: Ids = _none
    post: Form | None = None
    to_write: P | None = None
    takes_get: bool = True
    changes: bool = True
    is_reading_recorded: bool = False
    fixed: Mapping[str, str] = field(default_factory=dict)
    query: str = ""

    def needed(self, method: str) -> P | None:
        return self.to_write or self.permission if method == "POST" else self.permission

    @property
    def methods(self) -> list[str]:
        return (["GET"] if self.takes_get else []) + (["POST"] if self.post is not None else [])


def _form(permission: P | None, ids: Ids = _none, /, **fields: object) -> Page:
    """A form that is sent and not shown."""
    return Page(permission, ids, fields, takes_get=False)


def _run(place: Place) -> Mapping[str, object]:
    return {"run_id": place.ended_run_id}


def _live_run(place: Place) -> Mapping[str, object]:
    return {"run_id": place.run_id}


def _event(place: Place) -> Mapping[str, object]:
    return {"internal_id": place.event_id}


def _function(place: Place) -> Mapping[str, object]:
    return {"slug": place.function.slug}


def _app(place: Place) -> Mapping[str, object]:
    return {"app_id": place.app.id}


_EVENT_KEY: Final = _id("key_id", "event_key")
_HOOK: Final = _id("webhook_id")
_DELIVERY: Final = _id("webhook_id", delivery_id="delivery")
_SCRIPT: Final = "function transform(evt) { return {name: 'a/b', data: evt}; }"
_INTENT: Final = {"name": "Acme Billing", "redirect_uri": "https://billing.example/done"}

ENVIRONMENT_PAGES: Final[Mapping[str, Page]] = {
    "dashboard:home": Page(None),
    "dashboard:runs": Page(P.VIEW),
    "dashboard:run": Page(P.VIEW, _run),
    "dashboard:run-beside": Page(P.VIEW, _run),
    "dashboard:run-payload": Page(P.DATA_READ, _run, is_reading_recorded=True),
    "dashboard:run-cancel": Page(P.RUN_CANCEL, _live_run, {}),
    "dashboard:runs-cancel": Page(P.RUN_CANCEL_BULK, lambda place: {"run_ids": place.run_id}, {}),
    "dashboard:run-rerun": Page(P.RUN_RERUN, _run, {}),
    "dashboard:events": Page(P.VIEW),
    "dashboard:event-send": Page(P.EVENT_SEND, post={"body": json.dumps({"name": "a/b"})}),
    "dashboard:event": Page(P.VIEW, _event),
    "dashboard:event-payload": Page(P.DATA_READ, _event, is_reading_recorded=True),
    "dashboard:functions": Page(P.VIEW),
    "dashboard:function": Page(P.VIEW, _function),
    "dashboard:function-pause": Page(P.FUNCTION_PAUSE, _function, {}),
    "dashboard:function-resume": _form(P.FUNCTION_PAUSE, _function),
    "dashboard:function-drain": Page(P.FUNCTION_PAUSE, _function, {}),
    "dashboard:function-undrain": _form(P.FUNCTION_PAUSE, _function),
    "dashboard:function-invoke": Page(P.FUNCTION_INVOKE, _function, {"data": "{}"}),
    "dashboard:apps": Page(P.VIEW),
    "dashboard:app-add": Page(P.APP_SYNC, post={"url": "http://127.0.0.1:9/new"}),
    "dashboard:app-syncs": Page(P.VIEW, _app),
    "dashboard:unattached-syncs": Page(P.VIEW),
    "dashboard:app-sync": _form(P.APP_SYNC, _app),
    "dashboard:app-remove": Page(P.APP_ARCHIVE, _app, {}),
    "dashboard:palette": Page(None),
    "dashboard:start": Page(P.VIEW),
    "dashboard:manage": Page(None),
    "dashboard:event-keys": Page(P.VIEW),
    "dashboard:event-key-create": Page(P.KEY_MANAGE, post={"name": "new"}),
    "dashboard:event-key": Page(P.VIEW, _EVENT_KEY),
    "dashboard:event-key-rename": Page(P.KEY_MANAGE, _EVENT_KEY, {"name": "other"}),
    "dashboard:event-key-reveal": _form(P.EVENT_KEY_REVEAL, _EVENT_KEY),
    "dashboard:event-key-filter": _form(P.KEY_MANAGE, _EVENT_KEY, mode="allow", events="a/b"),
    "dashboard:event-key-revoke": Page(P.KEY_MANAGE, _EVENT_KEY, {}),
    "dashboard:signing-key": Page(P.VIEW),
    # There is a new key already, so the form changes nothing.
    "dashboard:signing-key-create": Page(P.KEY_MANAGE, post={}, takes_get=False, changes=False),
    "dashboard:signing-key-delete": Page(P.KEY_MANAGE, post={}),
    "dashboard:signing-key-rotate": Page(P.KEY_MANAGE, post={"override": "1"}),
    "dashboard:signing-key-reveal": _form(P.SIGNING_KEY_REVEAL, _id("key_id", "signing_key")),
    "dashboard:signing-key-revoke": Page(P.KEY_MANAGE, _id("key_id", "retired_key"), {}),
    "dashboard:webhooks": Page(P.VIEW),
    "dashboard:webhook-create": Page(P.WEBHOOK_MANAGE, post={"name": "new"}),
    "dashboard:webhook": Page(P.VIEW, _HOOK),
    "dashboard:webhook-rename": Page(P.WEBHOOK_MANAGE, _HOOK, {"name": "other"}),
    "dashboard:webhook-delete": Page(P.WEBHOOK_MANAGE, _HOOK, {}),
    "dashboard:webhook-reveal": _form(P.EVENT_KEY_REVEAL, _HOOK),
    "dashboard:webhook-scripts": _form(P.WEBHOOK_MANAGE, _HOOK, transform=_SCRIPT, respond=""),
    "dashboard:webhook-verification": _form(P.WEBHOOK_MANAGE, _HOOK, scheme="none"),
    "dashboard:webhook-filter": _form(P.WEBHOOK_MANAGE, _HOOK, mode="allow", ips="192.0.2.1"),
    "dashboard:webhook-test": Page(
        P.WEBHOOK_MANAGE, _HOOK, {"transform": _SCRIPT, "body": "{}"}, takes_get=False, changes=False
    ),
    "dashboard:webhook-send": _form(P.WEBHOOK_MANAGE, _HOOK, transform=_SCRIPT, body="{}"),
    "dashboard:webhook-delivery": Page(P.DATA_READ, _DELIVERY),
    "dashboard:webhook-redeliver": _form(P.WEBHOOK_MANAGE, _DELIVERY),
    "dashboard:webhook-intent": Page(P.VIEW, query=f"?{urlencode(_INTENT)}"),
    "dashboard:webhook-intent-approve": _form(P.WEBHOOK_MANAGE, **_INTENT, prefix="acme"),
    "dashboard:settings": Page(P.VIEW),
    "dashboard:settings-save": Page(
        P.ENVIRONMENT_MANAGE, post={"value": "7"}, takes_get=False, fixed={"what": "weight"}
    ),
}

_MEMBER: Final = _id("membership_id")
_INVITATION: Final = _id("invitation_id")
_API_KEY: Final = _id("key_id", "api_key")
_ENVIRONMENT: Final = _id("environment_id")
_CONNECTION: Final = _id("connection_id")

ORGANISATION_PAGES: Final[Mapping[str, Page]] = {
    "organisation:home": Page(None),
    "organisation:palette": Page(None),
    "organisation:environments": Page(None),
    "organisation:environment-create": Page(P.ENVIRONMENT_MANAGE, post={"name": "New one"}),
    "organisation:environment-archive": Page(P.ENVIRONMENT_MANAGE, _ENVIRONMENT, {}),
    # It is not archived, is no branch, and has not been archived for a day.
    "organisation:environment-unarchive": Page(
        P.ENVIRONMENT_MANAGE, _ENVIRONMENT, {}, takes_get=False, changes=False
    ),
    "organisation:environment-auto": Page(
        P.ENVIRONMENT_MANAGE, _ENVIRONMENT, {}, takes_get=False, changes=False
    ),
    "organisation:environment-delete": Page(P.ENVIRONMENT_MANAGE, _ENVIRONMENT, {}, changes=False),
    "organisation:general": Page(None),
    "organisation:general-save": Page(
        P.ACCOUNT_MANAGE, post={"value": "Acme 2"}, takes_get=False, fixed={"what": "name"}
    ),
    "organisation:delete": Page(P.ACCOUNT_DELETE, post={"name": "Acme"}),
    "organisation:delete-undo": Page(P.ACCOUNT_DELETE, post={}, takes_get=False, changes=False),
    "organisation:members": Page(None),
    "organisation:invite": Page(P.MEMBER_MANAGE, post={"email": "next@acme.example", "role": "viewer"}),
    # Their only owner may not.
    "organisation:leave": Page(None, post={}, changes=False),
    "organisation:member-edit": Page(P.MEMBER_MANAGE, _MEMBER, {"role": "operator"}),
    "organisation:member-remove": Page(P.MEMBER_MANAGE, _MEMBER, {}),
    "organisation:member-owner": Page(P.ACCOUNT_DELETE, _MEMBER, {}),
    "organisation:invitation-resend": _form(P.MEMBER_MANAGE, _INVITATION),
    "organisation:invitation-revoke": _form(P.MEMBER_MANAGE, _INVITATION),
    "organisation:api-keys": Page(P.VIEW),
    "organisation:api-key-create": Page(
        P.API_KEY_MANAGE, post={"name": "new", "environment": "all", "preset": "full"}
    ),
    "organisation:api-key-rename": Page(P.API_KEY_MANAGE, _API_KEY, {"name": "other"}),
    "organisation:api-key-revoke": Page(P.API_KEY_MANAGE, _API_KEY, {}),
    "organisation:audit": Page(P.AUDIT_READ),
    "organisation:audit-export": _form(P.AUDIT_READ, format="csv"),
    "organisation:audit-sink": Page(P.ACCOUNT_MANAGE, post={"url": "https://collector.example/audit"}),
    "organisation:audit-sink-remove": Page(P.ACCOUNT_MANAGE, post={}),
    "signin_connections": Page(P.SSO_MANAGE),
    "signin_connection_create": Page(
        P.SSO_MANAGE, post={}, takes_get=False, changes=False, fixed={"kind": "oidc"}
    ),
    "signin_connection_policy": _form(P.SSO_MANAGE, _CONNECTION, default_role="operator"),
    "signin_connection_groups": _form(P.SSO_MANAGE, _CONNECTION, group_attribute="memberOf"),
    "signin_connection_test": _form(P.SSO_MANAGE, _CONNECTION),
    "signin_connection_delete": _form(P.SSO_MANAGE, _CONNECTION),
    "signin_domain_add": _form(P.SSO_MANAGE, _CONNECTION, domain="more.acme.example"),
    "signin_domain_change": Page(
        P.SSO_MANAGE, _id("domain_id"), {}, takes_get=False, fixed={"action": "remove"}
    ),
}
# Views that ask for themselves; the others carry what their decorator asks for.
WITHOUT_DECORATOR: Final = frozenset(name for name in ORGANISATION_PAGES if name.startswith("signin_"))

# URLs without a name that are neither pages nor calls with a case of their own, and why.
NOT_CALLS: Final[Mapping[str, str]] = {
    "dev": "answers 404 in server mode (tests/integration/credentials/test_faces.py)",
    "^(?:v0|v1|e|invoke|fn)(?:/.*)?$": "404 of what no endpoint answers",
}
