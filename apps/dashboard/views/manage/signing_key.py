"""The signing key of an environment, and its rotation (spec 05, 2.2 and 5.4.25)."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audit.http import actor_of
from apps.credentials import services
from apps.credentials.models import SigningKey, SigningKeyState
from apps.credentials.selectors import signing_key_by_id
from apps.credentials.services.signing_keys import GRACE
from apps.dashboard.forms import Field, Form, attempt, change
from apps.dashboard.fragments import render_page
from apps.dashboard.pages.signing_key import signing_key_page
from apps.dashboard.tenant import access_of, environment_of
from apps.dashboard.views.manage.entering import manage_page, show_secret
from apps.registry.readiness import rotation_readiness
from apps.tenancy.exceptions import TenancyError
from apps.tenancy.permissions import Permission

SECTION = "signing-key"
_SHARED = "dashboard:signing-key"
_GRACE: Final = (("0", "At once"), ("1", "After an hour"), ("24", "After a day"), ("168", "After a week"))


class NotReady(TenancyError):
    """Not every app uses the new key yet. Say that you rotate all the same, or wait for them."""

    code = "apps_not_ready"
    status = 409


@require_GET
@manage_page(shared=_SHARED, section=SECTION)
def signing_key(request: HttpRequest) -> HttpResponse:
    page = signing_key_page(access_of(request), environment_of(request))
    fragments = {"signing-key-readiness": "manage/_readiness.html"}
    return render_page(
        request, "manage/signing_key.html", {"page": page}, section=SECTION, fragments=fragments
    )


@require_POST
@manage_page(Permission.KEY_MANAGE, shared=_SHARED, section=SECTION)
def create(request: HttpRequest) -> HttpResponse:
    return attempt(
        request,
        _page(),
        lambda: services.signing_key_create_pending(
            environment=environment_of(request), actor=actor_of(request)
        ),
        "The new key is there. Deploy your apps with it next.",
    )


@require_http_methods(["GET", "POST"])
@manage_page(Permission.KEY_MANAGE, shared=_SHARED, section=SECTION)
def delete(request: HttpRequest) -> HttpResponse:
    form = Form(
        title="Delete the new key?",
        action=request.path,
        back_url=_page(),
        submit="Delete",
        icon="trash-2",
        text="Apps that are deployed with it already are refused from then on.",
        is_danger=True,
    )
    return change(
        request,
        form,
        SECTION,
        lambda: services.signing_key_delete_pending(
            environment=environment_of(request), actor=actor_of(request)
        ),
        "The new key is deleted.",
    )


@require_http_methods(["GET", "POST"])
@manage_page(Permission.KEY_MANAGE, shared=_SHARED, section=SECTION)
def rotate(request: HttpRequest) -> HttpResponse:
    is_ready = all(app.is_ready for app in rotation_readiness(environment_of(request)))
    form = _rotate_form(request, is_ready)

    def act() -> None:
        is_emergency = request.POST.get("emergency") == "1"
        if not is_ready and request.POST.get("override") != "1" and not is_emergency:
            raise NotReady
        services.signing_key_rotate(
            environment=environment_of(request),
            actor=actor_of(request),
            grace=_grace(request),
            reason=request.POST.get("reason", ""),
            is_emergency=is_emergency,
        )

    return change(request, form, SECTION, act, "The new key is the current one.")


def _rotate_form(request: HttpRequest, is_ready: bool) -> Form:
    sent = request.POST
    override = Field(
        "override",
        "Rotate although not every app uses the new key",
        sent.get("override"),
        "checkbox",
        "Requests to and from the others fail until they are deployed with it.",
    )
    return Form(
        title="Rotate the signing key?",
        action=request.path,
        back_url=_page(),
        submit="Rotate",
        icon="refresh-cw",
        text="The new key becomes the current one, and the old one signs nothing any more. It stays so.",
        fields=[
            *([] if is_ready else [override]),
            Field("grace", "The old key is refused", sent.get("grace", "24"), "select", choices=_GRACE),
            Field(
                "emergency",
                "This is an emergency",
                sent.get("emergency"),
                "checkbox",
                "The old key is refused at once, and the security address is told the reason.",
            ),
            Field(
                "reason", "Reason", sent.get("reason", ""), is_required=False, hint="Goes into the audit log."
            ),
        ],
        is_danger=True,
    )


@require_http_methods(["GET", "POST"])
@manage_page(Permission.KEY_MANAGE, shared=_SHARED, section=SECTION)
def revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = _key(request, key_id)
    if key.state != SigningKeyState.RETIRED:
        raise Http404("no such retired key")
    form = Form(
        title="Revoke the old key now?",
        action=request.path,
        back_url=_page(),
        submit="Revoke now",
        icon="trash-2",
        text="Apps that still use it are refused at once.",
        is_danger=True,
    )
    return change(
        request,
        form,
        SECTION,
        lambda: services.signing_key_revoke_retired(signing_key=key, actor=actor_of(request)),
        "The old key is revoked.",
    )


@require_POST
@manage_page(Permission.SIGNING_KEY_REVEAL, shared=_SHARED, section=SECTION)
def reveal(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = _key(request, key_id)
    return show_secret(
        request,
        lambda: services.signing_key_reveal(signing_key=key, actor=actor_of(request)),
        dom_id=f"secret-{key.id}",
        label="Signing key",
        back_url=_page(),
        section=SECTION,
    )


def _grace(request: HttpRequest) -> timedelta:
    hours = request.POST.get("grace", "")
    known = {value for value, _ in _GRACE}
    return timedelta(hours=int(hours)) if hours in known else GRACE


def _page() -> str:
    return reverse("dashboard:signing-key")


def _key(request: HttpRequest, key_id: UUID) -> SigningKey:
    key = signing_key_by_id(environment_of(request), key_id)
    if key is None:
        raise Http404("no such key")
    return key
