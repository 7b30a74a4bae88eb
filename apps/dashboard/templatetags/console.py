"""Tags of the operator console (templates/admin)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from django import template
from django.contrib.admin.filters import ListFilter
from django.contrib.admin.templatetags.admin_list import result_headers, results
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.dashboard.console.site import ConsoleSite, Place
from apps.identity.console.columns import NOTHING
from apps.identity.console.pages import ConsoleAdmin

register = template.Library()

_CHECKBOX: Final = "action-checkbox-column"


@dataclass(frozen=True, slots=True)
class Table:
    headers: list[dict[str, Any]]
    rows: list[list[SafeString]]


@dataclass(frozen=True, slots=True)
class Filter:
    """`chosen` is the label of what a link has chosen, and `clear` the way back."""

    title: str
    choices: list[Mapping[str, object]]
    selected: str
    clear: str
    is_chosen: bool
    is_active: bool


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    label: str
    icon: str
    css: str


_LOOKS: Final = {
    "suspend": ("ban", "button-danger"),
    "unsuspend": ("play", ""),
    "lift_networks": ("globe", ""),
    "look_into": ("eye", ""),
}


@register.simple_tag
def list_table(cl: ChangeList) -> Table:
    """The list as Django has it, each cell with its title, for screens that show rows as cards."""
    headers = [_header(header) for header in result_headers(cl)]
    titles = [str(header["title"]) for header in headers]
    rows = [[_cell(*pair) for pair in zip(titles, row, strict=True)] for row in results(cl)]
    return Table(headers, rows)


def _header(header: dict[str, Any]) -> dict[str, Any]:
    is_checkbox = _CHECKBOX in str(header.get("class_attrib", ""))
    text = str(header["text"])
    return header | {"is_checkbox": is_checkbox, "title": "" if is_checkbox else text[:1].upper() + text[1:]}


def _cell(title: str, cell: SafeString) -> SafeString:
    tag, rest = cell[:3], cell[3:]
    if tag == "<th":
        rest = rest.replace("<a href", '<a class="row-link" href', 1)
    empty = SafeString(" data-empty") if rest.endswith(f">{NOTHING}</td>") else ""
    return SafeString(format_html('{} data-label="{}"{}', SafeString(tag), title, empty) + rest)


@register.simple_tag
def list_filters(cl: ChangeList) -> list[Filter]:
    return [_filter(cl, spec) for spec in cl.filter_specs]


def _filter(cl: ChangeList, spec: ListFilter) -> Filter:
    choices = list(spec.choices(cl))
    selected = next((choice for choice in choices if choice["selected"]), choices[0])
    title = str(spec.title)
    return Filter(
        title=title[:1].upper() + title[1:],
        choices=choices,
        selected=str(selected["display"]),
        clear=str(choices[0]["query_string"]),
        is_chosen=bool(getattr(spec, "is_chosen", False)),
        is_active=selected is not choices[0],
    )


@register.simple_tag(takes_context=True)
def actions_of(
    context: template.Context, model_admin: ConsoleAdmin[Any], row: Model | None = None
) -> list[Action]:
    """What may be done with rows of the list, or with the one that the page is about."""
    request: HttpRequest = context["request"]
    labels = {name: str(found[2]) for name, found in model_admin.get_actions(request).items() if found}
    fitting = [name for name in labels if row is None or model_admin.fits(name, row)]
    return [Action(name, labels[name], *_LOOKS[name]) for name in fitting]


@register.simple_tag(takes_context=True)
def related_to(context: template.Context, model_admin: ConsoleAdmin[Any], row: Model) -> list[Place]:
    return cast("ConsoleSite", model_admin.admin_site).related(context["request"], row)


@register.simple_tag
def page_title(model_admin: ConsoleAdmin[Any], row: Model) -> str:
    return model_admin.title_of(row)


@register.simple_tag
def page_link(cl: ChangeList, step: int) -> str:
    """To the page before or after this one; empty where there is none."""
    number = cl.page_num + step
    return cl.get_query_string({PAGE_VAR: number}) if 1 <= number <= cl.paginator.num_pages else ""
