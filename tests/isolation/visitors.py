"""Browsers and programs that ask."""

from collections.abc import Mapping
from typing import Any

from django.test import Client
from django.urls import set_script_prefix

from apps.identity.models import User


class Visitor:
    """A browser with its own session; each request begins as the servers begin it."""

    def __init__(self, user: User | None = None, *, checks_csrf: bool = False) -> None:
        self._client = Client(enforce_csrf_checks=checks_csrf)
        if user is not None:
            self._client.force_login(user)

    def ask(
        self, method: str, path: str, form: object = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        set_script_prefix("/")
        if method == "GET":
            return self._client.get(path, headers=headers)
        return self._client.post(path, form or {}, headers=headers)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"} if secret else {}
