"""Bases of the console's pages. None adds or deletes: services do that, on record."""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils.functional import cached_property

from apps.identity.console.columns import list_of
from apps.identity.console.filters import uuid_in

Row = TypeVar("Row", bound=Model)

Details = tuple[tuple[str, tuple[Any, ...]], ...]

_PAGES = ("_changelist", "_change")


class ConsoleAdmin(admin.ModelAdmin[Row], Generic[Row]):
    """A list and a page for each row, which people know as `called` (one, several); `about` tells what it is.
    `details` are the panels of the page: a title and its fields, in order; what is not named there is not
    shown."""

    called: ClassVar[tuple[str, str]]
    about: ClassVar[str] = ""
    details: ClassVar[Details] = ()
    labels: ClassVar[Mapping[str, tuple[str, str]]] = {}  # of a field that can be changed, and what it means
    is_listed: ClassVar[bool] = True  # in the navigation; else links from other pages lead to it
    is_newest_only: ClassVar[bool] = False
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False  # a search would count the whole table once more
    show_facets = admin.ShowFacets.NEVER
    empty_value_display = "\N{EN DASH}"
    change_list_template = "admin/change_list.html"
    change_form_template = "admin/change_form.html"

    @property
    def media(self) -> Media:
        """The console has its own scripts and styles."""
        return Media()

    def get_urls(self) -> list[URLPattern]:
        return [url for url in super().get_urls() if (url.name or "").endswith(_PAGES)]

    def get_fieldsets(self, request: HttpRequest, obj: Row | None = None) -> Any:
        return [(title, {"fields": fields}) for title, fields in self.details]

    def get_form(
        self, request: HttpRequest, obj: Row | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        texts = {
            "labels": {name: label for name, (label, _) in self.labels.items()},
            "help_texts": {name: help_text for name, (_, help_text) in self.labels.items()},
        }
        return super().get_form(request, obj, change, **(texts | kwargs))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        """An id finds its row; other words are looked for in `search_fields`."""
        key = uuid_in(search_term)
        if key is not None:
            return queryset.filter(pk=key), False
        return super().get_search_results(request, queryset, search_term)

    def log_change(self, request: HttpRequest, obj: Row, message: Any) -> None:  # type: ignore[override]
        """Changes are in the audit log, which says more."""

    def response_change(self, request: HttpRequest, obj: Row) -> HttpResponse:
        messages.success(request, "Saved.")
        return HttpResponseRedirect(request.path)

    def title_of(self, row: Row) -> str:
        """What the row's page is headed by."""
        return str(row)

    def fits(self, action: str, row: Row) -> bool:
        """Whether the page of the row offers the action."""
        return True

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


class ReadOnlyAdmin(ConsoleAdmin[Row], Generic[Row]):
    """What is shown here is changed elsewhere, by services."""

    def get_readonly_fields(self, request: HttpRequest, obj: Row | None = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


class _OnePage(Paginator):  # type: ignore[type-arg]
    """The first page, however many rows there are: nobody counts them."""

    @cached_property
    def count(self) -> int:
        return self.per_page + 1  # so that the list is cut to a page

    def page(self, number: int | str) -> Page[Any]:
        return super().page(1)


class _FixedOrder(ChangeList):
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str | Combinable]:
        return list(self.model_admin.get_ordering(request))


class NewestAdmin(ReadOnlyAdmin[Row], Generic[Row]):
    """A table that may have many millions of rows: the newest of them, by an index. Its subclass orders by
    one, and searches by what one finds; nobody sorts by, or asks for, anything else."""

    sortable_by = ()
    paginator = _OnePage
    is_newest_only = True
    parent: ClassVar[tuple[str, type[Model]] | None] = None  # whose index the list needs, by its parameter

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Without the parent there is no list: one is chosen first."""
        if self.parent is not None and self.parent[0] not in request.GET:
            return HttpResponseRedirect(list_of(self.parent[1]))
        return super().changelist_view(request, extra_context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _FixedOrder

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in {getattr(one, "parameter_name", None) for one in self.list_filter}
