"""OpenID Connect sign-in. Unlike the library's, its identity token is always there and always verified: its
signature, issuer, audience, times, and that it is new; what else is fetched must be of the same person."""

from typing import Any

from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse

from apps.signin.sso import rehearsal


class VerifyingAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth ships no types
    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        """Raises OAuth2Error for a token that does not hold."""
        presented = kwargs["response"].get("id_token")
        if not presented:
            raise OAuth2Error("the provider sent no id_token")
        data = {"id_token": self._verified(app, presented)}
        if not data["id_token"].get("email") and "userinfo_endpoint" in self.openid_config:
            data["userinfo"] = self._fetch_user_info(token.token)
            if data["userinfo"].get("sub") != data["id_token"]["sub"]:
                raise OAuth2Error("userinfo is about somebody else")
        return self.get_provider().sociallogin_from_response(request, data)

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


def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Where the identity provider sends people back to."""
    try:
        view = OAuth2CallbackView.adapter_view(VerifyingAdapter(request, provider_id))
        answer: HttpResponse = view(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except (KeyError, ValueError, OSError) as problem:  # a provider whose answers make no sense
        page = rehearsal.failure_page(request, provider_id, problem)
        if page is None:
            raise
        return page
    return answer
