"""django-allauth's adapter of external sign-in: its providers are the organisations' connections.

What an identity provider may assert is bounded by the domains that its organisation has proven to own.
"""

from typing import Any, NoReturn

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.http import HttpRequest
from django.shortcuts import render

from apps.identity.models import User
from apps.signin.services import sso
from apps.signin.sso import apps as sso_apps
from apps.signin.sso import egress, rehearsal


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        return sso_apps.list_apps(provider, client_id, rehearsal.rehearsed_ids(request))

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> SocialApp:
        """The only one that fits. With a kind for `provider`, as where a sign-in goes on after its second
        factor, several may share a client id; then any does, since what counts is the login's provider id."""
        found = self.list_apps(request, provider, client_id)
        if not found:
            raise SocialApp.DoesNotExist
        return found[0]

    def get_requests_session(self) -> requests.Session:
        return egress.session()

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        parts = (data.get("first_name"), data.get("last_name"))
        user.name = str(data.get("name") or " ".join(part for part in parts if part))[:128]
        return user

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True  # pre_social_login has decided

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Raises ImmediateHttpResponse with the reason on a page; a test of a connection always ends so."""
        if rehearsal.is_rehearsal(sociallogin):
            raise ImmediateHttpResponse(rehearsal.result_page(request, sociallogin))
        emails = [address.email for address in sociallogin.email_addresses]
        user = sociallogin.user if sociallogin.is_existing else None
        reason = sso.refusal(sociallogin.account.provider, emails, user)
        if reason:
            _refuse(request, reason)

    def on_authentication_error(self, request: HttpRequest, provider: Any, **details: Any) -> None:
        page = rehearsal.error_page(request, provider.sub_id, details)
        if page is not None:
            raise ImmediateHttpResponse(page)
        sso.note_failure(request, provider.sub_id)


def _refuse(request: HttpRequest, reason: str) -> NoReturn:
    page = render(request, "socialaccount/authentication_error.html", {"reason": reason}, status=403)
    raise ImmediateHttpResponse(page)
