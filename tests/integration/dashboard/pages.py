"""What the tests of the pages share: asking for fragments, and reading rows."""

import re
from typing import Protocol

from django.test import Client


class Answer(Protocol):
    """The part of the test client's responses that the tests look at."""

    status_code: int

    @property
    def content(self) -> bytes: ...
    def __getitem__(self, header: str) -> str: ...
    def __contains__(self, header: str) -> bool: ...


def fragment(client: Client, url: str, target: str, trigger: str = "") -> Answer:
    headers = {"HX-Request": "true", "HX-Target": target}
    if trigger:
        headers["HX-Trigger"] = trigger
    return client.get(url, headers=headers)


def text(response: Answer) -> str:
    return response.content.decode()


def row_ids(response: Answer) -> list[str]:
    """The DOM ids of a list's rows, in order."""
    return re.findall(r'<tr id="([^"]+)" data-row', text(response))


def link(response: Answer, rel: str) -> str:
    """The target of the older (`next`) or newer (`prev`) page; empty where there is no link."""
    found = re.search(rf'href="([^"]+)" rel="{rel}"', text(response))
    return found.group(1).replace("&amp;", "&") if found else ""
