"""Tags of every page: icons, badges, times, ids and code blocks."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Final
from urllib.parse import urlencode

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.dashboard.gates import Gate
from apps.dashboard.presenters.durations import duration_text, relative_text
from apps.dashboard.presenters.statuses import Badge

NOTHING: Final = "\N{EN DASH}"

register = template.Library()


@register.simple_tag
@cache
def icon(name: str, extra_class: str = "") -> SafeString:
    """An icon of the sprite; decorative, so the text beside it has to say what it means."""
    css = f"icon {extra_class}".strip()
    href = f"{static('vendor/lucide/sprite.svg')}#{name}"
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', css, href)


@register.simple_tag
def badge(value: Badge) -> SafeString:
    return format_html(
        '<span class="badge" data-tone="{}">{}{}</span>', value.tone, icon(value.icon), value.label
    )


@register.simple_tag
def gated_link(
    gate: Gate, url: str, label: str, icon_name: str, extra_class: str = "", dom_id: str = "", about: str = ""
) -> SafeString:
    """A link to a dialog, as its gate has it; `about` tells links of one label apart for screen readers."""
    if not gate.is_shown:
        return SafeString()
    if gate.reason:
        return _closed(gate, label, icon_name, extra_class, dom_id, about)
    return format_html(
        '<a class="button {}"{} href="{}" data-controller="dialog-link"{}>{}{}</a>',
        extra_class,
        format_html(' id="{}"', dom_id) if dom_id else "",
        url,
        format_html(' aria-label="{} {}"', label, about) if about else "",
        icon(icon_name),
        label,
    )


@register.simple_tag
def gated_submit(gate: Gate, label: str, icon_name: str, extra_class: str = "") -> SafeString:
    """The submit button of a form, as its gate has it."""
    if not gate.is_shown:
        return SafeString()
    if gate.reason:
        return _closed(gate, label, icon_name, extra_class, "", "")
    return format_html(
        '<button class="button {}" type="submit">{}{}</button>', extra_class, icon(icon_name), label
    )


def _closed(gate: Gate, label: str, icon_name: str, extra_class: str, dom_id: str, about: str) -> SafeString:
    """Reachable by keyboard, so that everybody learns why it does nothing."""
    return format_html(
        '<button class="button {}"{} type="button" aria-disabled="true" title="{}">{}{}'
        '<span class="visually-hidden">{}: {}</span></button>',
        extra_class,
        format_html(' id="{}"', dom_id) if dom_id else "",
        gate.reason,
        icon(icon_name),
        label,
        f" {about}" if about else "",
        gate.reason,
    )


@register.simple_tag
def moment(at_ms: int | None, absent: str = NOTHING) -> str:
    """A time as its distance from now, kept current by `clock.js`; the title says it exactly."""
    if at_ms is None:
        return format_html('<span class="faint">{}</span>', absent)
    return format_html(
        '<time datetime="{}" title="{}" data-at="{}">{}</time>',
        _utc(at_ms).isoformat(timespec="milliseconds"),
        exact(at_ms),
        at_ms,
        relative_text(_now_ms() - at_ms),
    )


@register.simple_tag
def moment_exact(at_ms: int | None, absent: str = NOTHING) -> str:
    """The same with the time of day (UTC) in view, where there is room for it."""
    if at_ms is None:
        return moment(None, absent)
    clock = f"{_utc(at_ms):%b %d, %H:%M:%S}.{at_ms % 1000:03d}"
    return format_html('{}<span class="exact">{}</span>', moment(at_ms), clock)


@register.filter
def exact(at_ms: int) -> str:
    return f"{_utc(at_ms):%Y-%m-%d %H:%M:%S}.{at_ms % 1000:03d} UTC"


@register.filter
def words(text: str) -> list[str]:
    return text.split()


@register.filter
def urlquery(values: Mapping[str, str]) -> str:
    """Filters as the query of a link."""
    return urlencode(values)


@register.filter
def thousands(value: int) -> str:
    """A count that a person reads: 1,204."""
    return f"{value:,}"


@register.simple_tag
def elapsed(start_ms: int | None, end_ms: int | None) -> str:
    """How long something took, or has been taking; the latter counts on in the browser."""
    if start_ms is None:
        return format_html('<span class="faint">{}</span>', NOTHING)
    if end_ms is not None:
        return duration_text(max(0, end_ms - start_ms))
    return format_html(
        '<span data-since="{}">{}</span>', start_ms, duration_text(max(0, _now_ms() - start_ms))
    )


@register.filter
def short_id(value: str) -> str:
    """The ends of a long id: ULIDs of one moment differ in their tails."""
    return value if len(value) <= 14 else f"{value[:4]}…{value[-7:]}"


@register.simple_tag
def copy_id(value: str, label: str, shown: str = "") -> SafeString:
    """An id that a press copies; `label` names it to screen readers."""
    return format_html(
        '<button class="copy-text over-row" type="button" data-controller="copy" data-copy="{}" '
        'title="Copy {}"><span class="visually-hidden">Copy {} </span><span>{}</span>{}</button>',
        value,
        value,
        label,
        shown or short_id(value),
        icon("copy"),
    )


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _now_ms() -> int:
    return int(time.time() * 1000)
