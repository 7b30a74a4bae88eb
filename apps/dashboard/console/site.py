"""Our admin site: pages of our own bases only, for operators only, without Django's sign-in and deletes."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, Final, TypeVar, cast

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from apps.dashboard.console.groups import ICONS, TASKS, Task
from apps.dashboard.console.overview import read_overview
from apps.identity.console.columns import list_of
from apps.identity.console.filters import Chosen
from apps.identity.console.pages import ConsoleAdmin

# Passwords, signing out and all else of people are pages of apps/signin.
_NOT_OURS: Final = frozenset(
    {"logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site"}
)

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


@dataclass(frozen=True, slots=True)
class Place:
    """A list of the console, as links to it show it."""

    label: str
    title: str
    about: str
    icon: str
    url: str


class ConsoleSite(AdminSite):
    site_title = site_header = "Operator console"
    index_title = "This server"
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def register(
        self,
        model_or_iterable: Any,
        admin_class: type[ModelAdmin[Any]] | None = None,
        **options: Any,
    ) -> None:
        """Pages that libraries bring are left out: they add and delete, and nobody hears of it."""
        if admin_class is not None and issubclass(admin_class, ConsoleAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [url for url in super().get_urls() if getattr(url, "name", None) not in _NOT_OURS]

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Whoever is no operator finds nothing here; strangers have been sent to sign in before
        (apps/signin/middleware.py)."""

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_permission(request):
                raise Http404
            return view(request, *args, **kwargs)

        return cast("View", update_wrapper(never_cache(csrf_protect(guarded)), view))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        raise Http404

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {"overview": read_overview()} | (extra_context or {}))

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Django's apps are not how the console is arranged."""
        raise Http404

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"now_ms": int(time.time() * 1000)}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """The navigation: per task the lists that the operator may see."""
        groups = [{"task": task, "places": list(self._places(request, task))} for task in TASKS]
        return [group for group in groups if group["places"]]

    def related(self, request: HttpRequest, row: Model) -> list[Place]:
        """The lists of what belongs to the row: those that can be cut down to it."""
        found = []
        for task in TASKS:
            for label, _ in task.models:
                model_admin = self._admin_of(label)
                for chosen in _chosen_of(model_admin, type(row)):
                    if model_admin.has_view_permission(request):
                        url = list_of(model_admin.model, **{str(chosen.parameter_name): row.pk})
                        found.append(_place(label, model_admin, url))
        return found

    def _places(self, request: HttpRequest, task: Task) -> Iterator[Place]:
        for label, _ in task.models:
            model_admin = self._admin_of(label)
            if model_admin.is_listed and model_admin.has_view_permission(request):
                yield _place(label, model_admin, list_of(model_admin.model))

    def _admin_of(self, label: str) -> ConsoleAdmin[Any]:
        found = next(page for model, page in self._registry.items() if model._meta.label == label)
        return cast("ConsoleAdmin[Any]", found)


def _chosen_of(model_admin: ConsoleAdmin[Any], model: type[Model]) -> Iterator[type[Chosen]]:
    for one in model_admin.list_filter:
        if isinstance(one, type) and issubclass(one, Chosen) and one.model is model:
            yield one


def _place(label: str, model_admin: ConsoleAdmin[Any], url: str) -> Place:
    plural = model_admin.called[1]
    return Place(label, plural[0].upper() + plural[1:], model_admin.about, ICONS[label], url)
