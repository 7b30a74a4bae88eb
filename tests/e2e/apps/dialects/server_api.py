"""The server's endpoints as an SDK calls them."""

import os
from collections.abc import Mapping
from typing import Any

import httpx

_http = httpx.Client(timeout=10)


def post(base_url: str, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
    return _http.post(base_url.rstrip("/") + path, content=content, headers=dict(headers))


def base_url(*names: str) -> str:
    """The first of these variables that is set to a URL."""
    for name in names:
        value = os.environ.get(name, "")
        if value.startswith("http"):
            return value
    return "http://127.0.0.1:8288"


def json_of(answer: httpx.Response) -> dict[str, Any]:
    value = answer.json()
    return value if isinstance(value, dict) else {}
