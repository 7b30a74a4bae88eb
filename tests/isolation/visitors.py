"""Browsers and programs that ask."""

import time
from collections.abc import Mapping
from typing import Any

from django.test import Client
from django.urls import set_script_prefix

from apps.identity.models import User
from apps.tenancy.models import Account


class Visitor:
    """A browser with its own session; each request begins as the servers begin it."""

    def __init__(self, user: User | None = None, *, checks_csrf: bool = False) -> None:
        self._client = Client(enforce_csrf_checks=checks_csrf)
        if user is not None:
            self._client.force_login(user)

    def looks_into(self, account: Account) -> "Visitor":
        """As an operator who has begun to, in the console."""
        session = self._client.session
        until = time.time() + 60
        session["support"] = {"id": str(account.id), "slug": account.slug, "until": until}
        session.save()
        return self

    def ask(
        self, method: str, path: str, form: object = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        set_script_prefix("/")
        if method == "GET":
            return self._client.get(path, headers=headers)
        return self._client.post(path, form or {}, headers=headers)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"} if secret else {}
