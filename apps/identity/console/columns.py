"""Columns of lists, and fields of pages, as people read them: times, links for ids, states in words."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

NOTHING: Final = "\N{EN DASH}"

Column = Callable[[Any], str]


def _named(show: Column, name: str, title: str, order: str | None) -> Column:
    show.__name__ = name.replace(".", "_")
    return admin.display(description=title, ordering=order)(show)


def when(name: str, title: str, *, is_sorted_by: bool = True) -> Column:
    """A time as its distance from now, which static/js/clock.js keeps current; its title says it exactly."""

    def show(row: Any) -> str:
        return moment(getattr(row, name))

    return _named(show, name, title, name if is_sorted_by else None)


def when_exactly(name: str, title: str) -> Column:
    """The same on a page, where there is room for the date."""

    def show(row: Any) -> str:
        at = getattr(row, name)
        return format_html('{} <span class="exact">{}</span>', moment(at), _date(at)) if at else NOTHING

    return _named(show, f"{name}_exactly", title, name)


def moment(at: datetime | None) -> str:
    if at is None:
        return NOTHING
    return format_html(
        '<time datetime="{}" title="{}" data-at="{}">{}</time>',
        at.isoformat(timespec="seconds"),
        _date(at),
        int(at.timestamp() * 1000),
        f"{at:%d %b %Y, %H:%M}",
    )


def _date(at: datetime) -> str:
    return f"{at:%d %b %Y, %H:%M:%S} UTC"


def link(path: str, title: str, order: str | None = None) -> Column:
    """What a foreign key leads to; `path` may go on from there, with dots."""
    read = attrgetter(path)

    def show(row: Any) -> str:
        return link_to(read(row))

    return _named(show, f"{path}_link", title, order or path.replace(".", "__"))


def link_to(row: Model | None, text: str = "") -> str:
    if row is None:
        return NOTHING
    return format_html('<a class="over-row" href="{}">{}</a>', page_of(row), text or str(row))


def page_of(row: Model) -> str:
    """The row's page in the console."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])


def links_to(rows: Iterable[Model]) -> str:
    found = [link_to(row) for row in rows]
    return format_html('<span class="links">{}</span>', SafeString("".join(found))) if found else NOTHING


def list_of(model: type[Model], **chosen: object) -> str:
    """The list of a model in the console, cut down to what belongs to what is `chosen`."""
    path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{path}?{urlencode(chosen)}" if chosen else path


def state(name: str, title: str, tones: Mapping[Any, str]) -> Column:
    """A choice in words, in the colours of its tone (static/css/tokens.css)."""

    def show(row: Any) -> str:
        label = str(getattr(row, f"get_{name}_display")())
        return badge(label, tones.get(getattr(row, name), "quiet"))

    return _named(show, f"{name}_badge", title, name)


def choice(name: str, title: str) -> Column:
    """A choice in words; labels that Django made of a name have capitals that people would not write."""

    def show(row: Any) -> str:
        label = str(getattr(row, f"get_{name}_display")())
        return label.capitalize() if label == label.title() else label

    return _named(show, f"{name}_choice", title, name)


def ended(name: str, title: str, *, live: str, over: str) -> Column:
    """Whether something is over, by the time at which it ended or will end."""

    def show(row: Any) -> str:
        at = getattr(row, name)
        return badge(live, "ok") if at is None else badge(over, "quiet")

    return _named(show, f"{name}_badge", title, name)


def badge(label: str, tone: str) -> SafeString:
    return format_html('<span class="badge badge-plain" data-tone="{}">{}</span>', tone, label)


def plain(name: str, title: str, suffix: str = "") -> Column:
    """A value as it is, under a title of its own."""

    def show(row: Any) -> str:
        value = getattr(row, name)
        return NOTHING if value in (None, "") else f"{value}{suffix}"

    return _named(show, f"{name}_plain", title, name)


def flag(name: str, title: str, yes: str = "Yes", no: str = "No") -> Column:
    def show(row: Any) -> str:
        return yes if getattr(row, name) else no

    return _named(show, f"{name}_flag", title, name)


def code(name: str, title: str) -> Column:
    """What is typed or compared character by character, such as an id or the beginning of a key."""

    def show(row: Any) -> str:
        value = getattr(row, name)
        return format_html('<code class="wrap">{}</code>', value) if value else NOTHING

    return _named(show, f"{name}_code", title, name)


def words(name: str, title: str) -> Column:
    """A list of names, each a tag."""

    def show(row: Any) -> str:
        return tags(getattr(row, name))

    return _named(show, f"{name}_words", title, None)


def tags(values: list[str]) -> str:
    if not values:
        return NOTHING
    shown = SafeString("".join(format_html('<span class="tag"><span>{}</span></span>', v) for v in values))
    return format_html('<span class="tags">{}</span>', shown)


def as_json(name: str, title: str) -> Column:
    """Raw JSON, laid out."""

    def show(row: Any) -> str:
        value = getattr(row, name)
        laid_out = json.dumps(json.loads(value) if isinstance(value, str) else value, indent=2)
        return format_html('<pre class="diff" tabindex="0">{}</pre>', laid_out) if value else NOTHING

    return _named(show, f"{name}_json", title, None)
