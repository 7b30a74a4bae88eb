"""GET and POST /v1/webhooks, and GET, PUT and DELETE of one (spec 03, 4.10).

The address of a webhook has its key in it, so only who may see keys finds it in `url`, and that is on record.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final
from uuid import UUID

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.rest.access import caller_of_request
from apps.api.rest.answers import enveloped
from apps.api.rest.base import RestView
from apps.api.rest.errors import PublicError
from apps.audit.actors import Actor
from apps.credentials.caller import CredentialKind
from apps.credentials.exceptions import KeysOfParent
from apps.credentials.http import actor_of_caller
from apps.engine.protocol.raw_json import NOT_JSON
from apps.tenancy.exceptions import InvalidName, TenancyError
from apps.tenancy.models import Environment
from apps.tenancy.permissions import Permission
from apps.webhooks import selectors
from apps.webhooks.exceptions import ScriptInvalid, WebhookNotFound
from apps.webhooks.models import Webhook
from apps.webhooks.services import webhooks as services

MAX_LISTED: Final = 1_000


class WebhookBody(msgspec.Struct):
    name: str | None = None
    transform: str | None = None


class WebhookItem(msgspec.Struct):
    """`url` is None for who may not see keys."""

    id: UUID
    name: str
    transform: str
    url: str | None


_decoder = msgspec.json.Decoder(WebhookBody)


class _WebhookView(RestView):
    @property
    def actor(self) -> Actor:
        return actor_of_caller(self.request._request, caller_of_request(self.request))

    @cached_property
    def environment(self) -> Environment:
        """That of the caller; of a branch the parent, whose webhooks serve all branches. A person's token
        tells only of the place that it names, so there it has to be the parent."""
        own = Environment.objects.select_related("parent").get(id=self.environment_id)
        if own.parent is None:
            return own
        if caller_of_request(self.request).kind == CredentialKind.TOKEN:
            raise _public(KeysOfParent())
        return own.parent

    def items(self, webhooks: list[Webhook]) -> list[WebhookItem]:
        keys = self._keys(webhooks)
        return [self._item(webhook, keys.get(webhook.id)) for webhook in webhooks]

    def item(self, webhook: Webhook) -> WebhookItem:
        return self._item(webhook, self._key(webhook))

    def _item(self, webhook: Webhook, key: str | None) -> WebhookItem:
        url = None if key is None else self.request._request.build_absolute_uri(f"/e/{key}")
        return WebhookItem(webhook.id, webhook.name, webhook.transform, url)

    def _key(self, webhook: Webhook) -> str | None:
        return services.webhook_reveal(webhook=webhook, actor=self.actor) if self._sees_keys else None

    def _keys(self, webhooks: list[Webhook]) -> dict[UUID, str]:
        if not self._sees_keys:
            return {}
        found = services.webhooks_reveal(environment=self.environment, webhooks=webhooks, actor=self.actor)
        return dict(found)

    @property
    def _sees_keys(self) -> bool:
        return Permission.EVENT_KEY_REVEAL in caller_of_request(self.request).permissions


class WebhooksView(_WebhookView):
    permissions = {"GET": Permission.VIEW, "POST": Permission.WEBHOOK_MANAGE}

    def get(self, request: Request) -> Response:
        rows = selectors.webhooks_qs(self.environment).defer(None)[:MAX_LISTED]
        return enveloped(self.items(list(rows)))

    def post(self, request: Request) -> Response:
        """The same name may be taken twice, as on the pages: the id tells webhooks apart."""
        sent = _parse(request.body)
        with _refusals():
            webhook = services.webhook_create(
                environment=self.environment,
                name=sent.name or "",
                transform=sent.transform or "",
                actor=self.actor,
            )
        return enveloped(self.item(webhook))


class WebhookView(_WebhookView):
    permissions = {
        "GET": Permission.VIEW,
        "PUT": Permission.WEBHOOK_MANAGE,
        "DELETE": Permission.WEBHOOK_MANAGE,
    }

    def get(self, request: Request, webhook_id: str) -> Response:
        return enveloped(self.item(self._found(webhook_id)))

    def put(self, request: Request, webhook_id: str) -> Response:
        """What is left out stays as it is."""
        sent = _parse(request.body)
        with _refusals():
            webhook = services.webhook_update(
                webhook=self._found(webhook_id), name=sent.name, transform=sent.transform, actor=self.actor
            )
        return enveloped(self.item(webhook))

    def delete(self, request: Request, webhook_id: str) -> Response:
        webhook = self._found(webhook_id)
        with _refusals():
            services.webhook_delete(webhook=webhook, actor=self.actor)
        return enveloped({"id": webhook.id})

    def _found(self, webhook_id: str) -> Webhook:
        found = selectors.webhook_by_id(self.environment, _uuid(webhook_id))
        if found is None:
            raise _public(WebhookNotFound())
        return found


def _parse(body: bytes) -> WebhookBody:
    try:
        return _decoder.decode(body)
    except NOT_JSON:
        raise PublicError(400, "Invalid webhook request") from None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise PublicError(400, "Invalid webhook ID") from None


@contextmanager
def _refusals() -> Iterator[None]:
    """What the services refuse, as PublicErrors that name the field."""
    try:
        yield
    except ScriptInvalid as refused:
        where = f" (line {refused.line}, column {refused.column})" if refused.line else ""
        raise _public(refused, f"transform: {refused}{where}") from None
    except InvalidName as refused:
        raise _public(refused, f"name: {refused}") from None
    except TenancyError as refused:
        raise _public(refused) from None


def _public(refused: TenancyError, text: str = "") -> PublicError:
    return PublicError(refused.status, text or str(refused), refused.code)
