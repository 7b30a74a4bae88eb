"""OpenID Connect sign-in. Unlike the library's, its identity token is always there and always verified: its
signature, issuer, audience, times, and that it is new; what else is fetched must be of the same person."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from apps.signin.models import SsoConnection, connection_id_of
from apps.signin.services import sso
from apps.signin.sso import rehearsal

_TEXTS: Final = ("email", "name", "given_name", "family_name", "nickname", "preferred_username")

logger = logging.getLogger(__name__)


class VerifyingAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth ships no types
    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        """Raises OAuth2Error for a token that does not hold."""
        presented = kwargs["response"].get("id_token")
        if not presented:
            raise OAuth2Error("the provider sent no id_token")
        claims = self._verified(app, presented)
        data = {"id_token": claims}
        if "userinfo_endpoint" in self.openid_config and _lacks_something(claims, app.provider_id):
            # The library looks there first; what is signed goes before what is not.
            data["userinfo"] = self._userinfo(token.token, claims["sub"]) | claims
        _require_texts(data.get("userinfo", claims))
        return self.get_provider().sociallogin_from_response(request, data)

    def _userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        said: dict[str, Any] = self._fetch_user_info(access_token)
        if said.get("sub") != subject:
            raise OAuth2Error("userinfo is about somebody else")
        return said

    def _verified(self, app: SocialApp, presented: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwtkit.verify_and_decode(
                credential=presented,
                keys_url=self.openid_config["jwks_uri"],
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                lookup_kid=jwtkit.lookup_kid_jwk,
            )
        except KeyError as problem:
            raise OAuth2Error(f"the provider's configuration or keys lack {problem}") from problem
        if not claims.get("sub") or "exp" not in claims:
            raise OAuth2Error("the id_token lacks sub or exp")
        return claims


def _require_texts(claims: Mapping[str, Any]) -> None:
    """Of what is taken over about a person; the library does not look. Raises OAuth2Error."""
    for name in _TEXTS:
        if not isinstance(claims.get(name) or "", str):
            raise OAuth2Error(f"the provider's {name} is no text")


def _lacks_something(claims: Mapping[str, Any], provider_id: str) -> bool:
    """The address, or the groups where these decide about roles: providers may keep either for userinfo."""
    if not claims.get("email"):
        return True
    connection = SsoConnection.objects.filter(id=connection_id_of(provider_id)).first()
    return (
        connection is not None and bool(connection.group_roles) and connection.group_attribute not in claims
    )


def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Where the identity provider sends people back to."""
    try:
        view = OAuth2CallbackView.adapter_view(VerifyingAdapter(request, provider_id))
        answer: HttpResponse = view(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except (KeyError, ValueError, OSError) as problem:  # a provider whose answers make no sense
        return rehearsal.failure_page(request, provider_id, problem) or _refused(
            request, provider_id, problem
        )
    return answer


def _refused(request: HttpRequest, provider_id: str, problem: Exception) -> HttpResponse:
    logger.warning("an identity provider's answer makes no sense: %s", provider_id, exc_info=problem)
    sso.note_failure(request, provider_id)
    return render(request, "socialaccount/authentication_error.html", status=401)
