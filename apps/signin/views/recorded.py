"""Views of the library about whose changes it sends no signal, with the entry in the audit log."""

from typing import Any, cast

from allauth.mfa.webauthn.views import EditWebAuthnView
from allauth.usersessions.views import ListUserSessionsView
from django.http import HttpResponse

from apps.identity.models import User
from apps.signin import recording


class SessionsView(ListUserSessionsView):  # type: ignore[misc]  # allauth ships no types
    """The list; its form ends all sessions but the present one."""

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        recording.record(cast("User", self.request.user), self.request, "user.sessions_end")
        return answer


class PasskeyView(EditWebAuthnView):  # type: ignore[misc]  # allauth ships no types
    """The name of a passkey."""

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        name = form.cleaned_data["name"]
        recording.record(
            cast("User", self.request.user), self.request, "user.second_factor_rename", name=name
        )
        return answer


sessions = SessionsView.as_view()
edit_passkey = PasskeyView.as_view()
