"""What a SAML identity provider is told about us, and what is read from its metadata."""

from typing import Any

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.saml import views as saml_answers
from allauth.socialaccount.providers.saml.utils import build_saml_config
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from onelogin.saml2.errors import OneLogin_Saml2_Error
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from apps.signin.sso import apps, rehearsal
from apps.signin.sso.configuration import SamlConfig


class BadMetadata(Exception):
    """That is not the metadata of a SAML 2.0 identity provider with a signing certificate."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def read_metadata(xml: str) -> SamlConfig:
    """Raises BadMetadata."""
    try:
        parsed = OneLogin_Saml2_IdPMetadataParser.parse(xml)
    except (OneLogin_Saml2_Error, SyntaxError, ValueError, AttributeError) as problem:
        raise BadMetadata from problem
    provider: dict[str, Any] = parsed.get("idp", {})
    certificates = provider.get("x509certMulti", {}).get("signing", [])
    certificate = provider.get("x509cert") or (certificates[0] if certificates else "")
    sso_url = provider.get("singleSignOnService", {}).get("url", "")
    if not (certificate and sso_url and provider.get("entityId")):
        raise BadMetadata
    return SamlConfig(provider["entityId"], sso_url, certificate)


def metadata(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """For the identity provider: our entity id and where it posts its answers. Known for a connection that
    is not enabled yet, too."""
    try:
        app = apps.saml_app(organization_slug)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    config = build_saml_config(request, app.settings, organization_slug)
    del config["sp"]["singleLogoutService"]
    settings = OneLogin_Saml2_Settings(settings=config, sp_validation_only=True)
    return HttpResponse(settings.get_sp_metadata(), content_type="application/xml")


def finish(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Where the identity provider's answer is judged. Anybody can post one, so it may be no XML at all."""
    try:
        answer: HttpResponse = saml_answers.finish_acs(request, organization_slug=organization_slug)
    except (SyntaxError, ValueError, KeyError, PermissionDenied) as problem:
        page = rehearsal.failure_page(request, organization_slug, problem)
        if page is not None:
            return page
        if isinstance(problem, PermissionDenied):
            raise
        return render(request, "socialaccount/authentication_error.html", status=401)
    return answer


def no_single_logout(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Signing out at the identity provider does not sign out here: an unsigned request could ask for it."""
    raise Http404
