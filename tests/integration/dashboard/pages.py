"""What the tests of the pages share: asking for fragments, and reading rows."""

import re

from django.http import HttpResponse
from django.test import Client


def fragment(client: Client, url: str, target: str, trigger: str = "") -> HttpResponse:
    headers = {"HX-Request": "true", "HX-Target": target}
    if trigger:
        headers["HX-Trigger"] = trigger
    response: HttpResponse = client.get(url, headers=headers)
    return response


def text(response: HttpResponse) -> str:
    return response.content.decode()


def row_ids(response: HttpResponse) -> list[str]:
    """The DOM ids of a list's rows, in order."""
    return re.findall(r'<tr id="([^"]+)" data-row', text(response))


def link(response: HttpResponse, rel: str) -> str:
    """The target of the older (`next`) or newer (`prev`) page; empty where there is no link."""
    found = re.search(rf'href="([^"]+)" rel="{rel}"', text(response))
    return found.group(1).replace("&amp;", "&") if found else ""
