"""django-allauth's account adapter: where our rules of signing in differ from the library's."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.identity import letters
from apps.identity.models import User
from apps.signin import invitations, places
from apps.signin.services import sso
from apps.signin.services.enforcing import is_outside
from apps.signin.sso.groups import groups_of


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "That e-mail address and password do not fit together.",
        "too_many_login_attempts": "Too many attempts to sign in. Wait five minutes, then try again.",
        "email_taken": "There is a user with this e-mail address already.",
        "incorrect_password": "That is not your password.",
        "enter_current_password": "That is not your current password.",
        "incorrect_code": "That code is not right.",
        "rate_limited": "Too many requests. Wait a moment, then try again.",
    }

    def is_safe_url(self, url: str | None) -> bool:
        """Only paths of this server; the library would take other hosts that the settings name."""
        return bool(url) and places.is_own_path(url or "")

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.STEPWELL_SIGN_UP == "open" or invitations.remembered(request) is not None

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Whoever fails is told about single sign-on by the domain alone, which says nothing about users."""
        user: User | None = super().authenticate(request, **credentials)
        if user is None and sso.enforced_connection(credentials.get("email", "")) is not None:
            raise ValidationError(
                "That did not work. People of this domain sign in with single sign-on.", code="sso_required"
            )
        return user

    def pre_login(self, request: HttpRequest, user: User, **hook: Any) -> HttpResponse | None:
        """Whatever someone signed in with: single sign-on comes first where it is enforced."""
        is_sso = "sociallogin" in (hook.get("signal_kwargs") or {})
        if not is_sso and sso.must_use_sso(user):
            return _to_single_sign_on(request)
        answer: HttpResponse | None = super().pre_login(request, user, **hook)
        return answer

    def login(self, request: HttpRequest, user: User) -> None:
        """Since `pre_login`, while a second factor was asked for, single sign-on may have become a must."""
        if is_outside(user, request.session):
            raise ImmediateHttpResponse(_to_single_sign_on(request))
        super().login(request, user)

    def post_login(self, request: HttpRequest, user: User, **hook: Any) -> HttpResponse:
        social = (hook.get("signal_kwargs") or {}).get("sociallogin")
        if social is not None:
            provider_id = social.account.provider
            groups = groups_of(sso.by_provider_id(provider_id), social.account.extra_data)
            sso.join(request=request, user=user, provider_id=provider_id, groups=groups)
        response: HttpResponse = super().post_login(request, user, **hook)
        return response

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        user.name = form.cleaned_data.get("name", "")
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def render_mail(
        self, template_prefix: str, email: str | list[str], context: dict[str, Any], headers: Any = None
    ) -> EmailMessage:
        """The library's letter, with its text as HTML beside it."""
        message: EmailMultiAlternatives = super().render_mail(
            template_prefix, email, context | {"place": letters.place()}, headers
        )
        message.attach_alternative(letters.as_html(str(message.subject), str(message.body)), "text/html")
        return message

    def add_message(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Signing in and out needs no message: what follows says it."""
        template = kwargs.get("message_template") or (args[1] if len(args) > 1 else "")
        if template not in ("account/messages/logged_in.txt", "account/messages/logged_out.txt"):
            super().add_message(request, *args, **kwargs)


def _to_single_sign_on(request: HttpRequest) -> HttpResponse:
    clear_login(request)
    return HttpResponseRedirect("/sign-in/sso?required=1")
