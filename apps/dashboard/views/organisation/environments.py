"""The environments of an organisation (spec 05, 5.5): made, archived, brought back, deleted."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit.http import actor_of
from apps.credentials.services import environment_add
from apps.dashboard.forms import Field, Form, attempt, change
from apps.dashboard.fragments import render_page
from apps.dashboard.pages.environments import environments_page
from apps.dashboard.places import organisation_url
from apps.dashboard.selectors.environments import visible_qs
from apps.dashboard.views.organisation.entering import organisation_page
from apps.tenancy.access import Access
from apps.tenancy.models import Environment
from apps.tenancy.permissions import Permission
from apps.tenancy.services import environments as services

SECTION = "org-environments"
_ARCHIVE_TEXT = (
    "Nothing triggers in it from then on, and its schedules stop. Nothing is deleted: everything can still "
    "be read, and runs that are under way go on."
)


@require_GET
@organisation_page()
def environments(request: HttpRequest, access: Access) -> HttpResponse:
    context = {"page": environments_page(access, request.GET), "access": access}
    fragments = {"environments-list": "organisation/_environments.html"}
    return render_page(
        request, "organisation/environments.html", context, section=SECTION, fragments=fragments
    )


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.ENVIRONMENT_MANAGE)
def create(request: HttpRequest, access: Access) -> HttpResponse:
    name = request.POST.get("name", "")
    form = Form(
        title="New environment",
        action=request.path,
        back_url=_list(access),
        submit="Create environment",
        icon="plus",
        text="An environment has its own keys, apps, events and runs, apart from all others. Any number of "
        "apps can be in it.",
        fields=[
            Field("name", "Name", name, hint="Such as Staging. Its address keeps the first name that it has.")
        ],
    )
    return change(
        request,
        form,
        SECTION,
        lambda: environment_add(account=access.account, name=name, actor=actor_of(request)),
        "The environment is there, with its keys.",
    )


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.ENVIRONMENT_MANAGE)
def archive(request: HttpRequest, access: Access, environment_id: UUID) -> HttpResponse:
    row = _environment(access, environment_id)
    form = Form(
        title=f"Archive {row.name}?",
        action=request.path,
        back_url=_list(access),
        submit="Archive",
        icon="archive",
        text=f"{_ARCHIVE_TEXT}{' A sync of the branch brings it back.' if row.parent_id else ''}",
        back_label="Keep it",
        is_danger=True,
    )
    return change(
        request,
        form,
        SECTION,
        lambda: services.environment_archive(environment=row, actor=actor_of(request)),
        f"{row.name} is archived.",
    )


@require_POST
@organisation_page(Permission.ENVIRONMENT_MANAGE)
def unarchive(request: HttpRequest, access: Access, environment_id: UUID) -> HttpResponse:
    row = _environment(access, environment_id)
    return attempt(
        request,
        _list(access),
        lambda: services.environment_unarchive(environment=row, actor=actor_of(request)),
        f"{row.name} is back.",
    )


@require_POST
@organisation_page(Permission.ENVIRONMENT_MANAGE)
def auto_archive(request: HttpRequest, access: Access, environment_id: UUID) -> HttpResponse:
    row = _environment(access, environment_id)
    is_on = request.POST.get("is_on") == "1"
    return attempt(
        request,
        _list(access),
        lambda: services.environment_set_auto_archive(environment=row, is_on=is_on, actor=actor_of(request)),
        f"{row.name} is archived by itself." if is_on else f"{row.name} stays until somebody archives it.",
    )


@require_http_methods(["GET", "POST"])
@organisation_page(Permission.ENVIRONMENT_MANAGE)
def delete(request: HttpRequest, access: Access, environment_id: UUID) -> HttpResponse:
    row = _environment(access, environment_id)
    typed = request.POST.get("name", "")
    form = Form(
        title=f"Delete {row.name}?",
        action=request.path,
        back_url=_list(access),
        submit="Delete for good",
        icon="trash-2",
        text="Its apps, keys, events and runs are erased. This cannot be undone. It must have been archived "
        "for 24 hours.",
        fields=[Field("name", f"Type {row.name} to delete it", typed)],
        back_label="Keep it",
        is_danger=True,
    )
    return change(
        request,
        form,
        SECTION,
        lambda: services.environment_delete(environment=row, typed_name=typed, actor=actor_of(request)),
        f"{row.name} is deleted; its data goes in the background.",
    )


def _list(access: Access) -> str:
    return organisation_url(access.account, "environments")


def _environment(access: Access, environment_id: UUID) -> Environment:
    row = visible_qs(access).filter(id=environment_id).first()
    if row is None:
        raise Http404("no such environment")
    return row
