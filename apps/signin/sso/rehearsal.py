"""A test of a connection: the whole round to the identity provider and back, which signs nobody in or out and
shows what came back, or why nothing usable did (spec 05, 2.7). The connection need not be enabled.

What came back carries in its state which connection is tested, so it can never become a sign-in, nor the
result of another test in the same browser. Errors may come without their state; those are told by the
session, which remembers for ten minutes which tests have begun.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.audit.http import actor_of
from apps.audit.services import audit_record
from apps.signin.models import SsoConnection, connection_id_of
from apps.signin.services import sso
from apps.signin.sso import apps
from apps.signin.sso.groups import groups_of
from apps.tenancy.models import Role

SECONDS: Final = 600
MAX_TEXT: Final = 500
_KEY: Final = "sso_rehearsals"  # in the session: when the test is over, by the connection's id
_MARK: Final = "rehearsal"  # in the state: the connection's id
_CANCELLED: Final = "You cancelled at the identity provider, or it did not let you in."
_UNKNOWN: Final = "The answer belongs to no request of this browser: begin the test again."


def begin(request: HttpRequest, connection: SsoConnection) -> HttpResponse:
    """A redirect to the identity provider, or the page of the test with the reason why there is none.

    Raises what a provider that does not answer, or makes no sense, makes the library raise.
    """
    request.session[_KEY] = _under_way(request) | {str(connection.id): time.time() + SECONDS}
    provider = apps.app_of(connection).get_provider(request)
    answer: HttpResponse = provider.redirect(request, AuthProcess.LOGIN, data={_MARK: str(connection.id)})
    return answer


def rehearsed_ids(request: HttpRequest) -> set[UUID]:
    """The connections of which a test is under way in this browser."""
    return {UUID(key) for key in _under_way(request)}


def _under_way(request: HttpRequest) -> dict[str, float]:
    begun: dict[str, float] = request.session.get(_KEY, {}) if hasattr(request, "session") else {}
    return {key: until for key, until in begun.items() if until > time.time()}


def is_rehearsal(login: SocialLogin) -> bool:
    return bool(_marked(login.state))


def _marked(state: Mapping[str, Any] | None) -> str:
    """The id of the connection whose test the state left with; empty for a sign-in's."""
    return str(((state or {}).get("data") or {}).get(_MARK, ""))


def result_page(request: HttpRequest, login: SocialLogin) -> HttpResponse:
    """What the identity provider said, and what signing in with it would have come to."""
    connection = _connection(request, _marked(login.state))
    if connection is None:
        return _page(request, None, error=_UNKNOWN)
    emails = [address.email for address in login.email_addresses]
    user = login.user if login.is_existing else None
    groups = groups_of(connection, login.account.extra_data)
    facts = [
        ("Subject", login.account.uid),
        ("E-mail", ", ".join(emails)),
        ("Name", login.user.name),
        ("Groups", cut(", ".join(groups))),
        ("Role of a new member", Role(sso.role_of(connection, groups)).label),
    ]
    return _page(
        request,
        connection,
        reason=sso.refusal_by(connection, emails, user),
        facts=[(label, str(value)) for label, value in facts],
        received=list(flattened(login.account.extra_data)),
    )


def error_page(request: HttpRequest, provider_id: str, details: Mapping[str, Any]) -> HttpResponse | None:
    """For an error of a connection under test; None for any other. `details` are what the library says."""
    tested_id = str(connection_id_of(provider_id))
    state = (details.get("extra_context") or {}).get("state")
    if state is not None and _marked(state) != tested_id:
        return None
    connection = _connection(request, tested_id)
    return None if connection is None else _page(request, connection, error=error_text(details))


def failure_page(request: HttpRequest, provider_id: str, problem: BaseException) -> HttpResponse | None:
    return error_page(request, provider_id, {"exception": problem})


def error_text(details: Mapping[str, Any]) -> str:
    """The exact reason, as far as the library knows it."""
    extra = details.get("extra_context") or {}
    parts = [*_causes(details.get("exception")), *extra.get("saml_errors", [])]
    if said := extra.get("saml_last_error_reason"):
        parts.append(str(said))
    view = extra.get("callback_view")
    if view is not None:  # OpenID Connect: the provider's own words are in the URL
        asked = view.request.GET
        parts += [asked[name] for name in ("error", "error_description") if name in asked]
    if not parts:
        parts = [_CANCELLED if details.get("error") == "cancelled" else _UNKNOWN]
    return cut(": ".join(parts))


def _causes(problem: BaseException | None) -> Iterator[str]:
    """Of an exception and of those that it was raised from."""
    while problem is not None:
        yield str(problem) or type(problem).__name__
        problem = problem.__cause__


def flattened(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Claims and attributes, one line each: `id_token.email`, `groups`."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flattened(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        yield name, cut(", ".join(str(item) for item in value))
    else:
        yield name, cut(str(value))


def cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def _connection(request: HttpRequest, connection_id: str) -> SsoConnection | None:
    """The one of that id, if a test of it is under way."""
    if connection_id not in _under_way(request):
        return None
    return SsoConnection.objects.filter(id=connection_id).select_related("account").first()


def _page(
    request: HttpRequest, connection: SsoConnection | None, *, error: str = "", reason: str = "", **shown: Any
) -> HttpResponse:
    """The test is over with it."""
    if connection is not None:
        left = _under_way(request)
        left.pop(str(connection.id), None)
        request.session[_KEY] = left
        audit_record(
            account_id=connection.account_id,
            actor=actor_of(request),
            action="sso.test",
            target_type="sso_connection",
            target_id=connection.id,
            target_label=connection.name,
            is_success=not (error or reason),
        )
    context = {"connection": connection, "error": error, "reason": reason} | shown
    return render(request, "signin/rehearsal.html", context)
