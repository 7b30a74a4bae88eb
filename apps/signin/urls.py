"""The pages of signing in, at our own paths. The names are the library's where it asks for them by name."""

from typing import Final

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount.providers.saml import views as saml_answers
from django.urls import URLPattern, path

from apps.signin.sso import oidc, saml
from apps.signin.views import connections, organisations, profile, recorded, setup, sso, tokens

_OF_CONNECTION = "orgs/<slug:org>/sso/<uuid:connection_id>"

urlpatterns: list[URLPattern] = [
    path("setup", setup.setup, name="signin_setup"),
    path("sign-in", account.login, name="account_login"),
    path("sign-in/sso", sso.sign_in, name="signin_sso"),
    path("sign-in/passkey", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/second-factor", mfa.authenticate, name="mfa_authenticate"),
    path("sign-in/inactive", account.account_inactive, name="account_inactive"),
    path("sign-out", account.logout, name="account_logout"),
    path("sign-up", account.signup, name="account_signup"),
    path("verify", account.email_verification_sent, name="account_email_verification_sent"),
    path("reset", profile.reset, name="account_reset_password"),
    path("reset/code", account.confirm_password_reset_code, name="account_confirm_password_reset_code"),
    path("reset/password", account.complete_password_reset, name="account_complete_password_reset"),
    path("reset/done", account.password_reset_from_key_done, name="account_password_reset_completed"),
    path("confirm", account.reauthenticate, name="account_reauthenticate"),
    path("confirm/code", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("confirm/passkey", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("profile", profile.profile, name="signin_profile"),
    path("profile/theme", profile.theme, name="signin_theme"),
    path("profile/email", profile.email, name="account_email"),
    path("profile/password", account.password_change, name="account_change_password"),
    path("profile/password/set", account.password_set, name="account_set_password"),
    path("profile/security", mfa.index, name="mfa_index"),
    path("profile/security/app", totp.activate_totp, name="mfa_activate_totp"),
    path("profile/security/app/remove", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("profile/security/codes", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "profile/security/codes/new",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path("profile/security/passkeys", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("profile/security/passkeys/add", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("profile/security/passkeys/<int:pk>/edit", recorded.edit_passkey, name="mfa_edit_webauthn"),
    path("profile/security/passkeys/<int:pk>/remove", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
    path("profile/sessions", recorded.sessions, name="usersessions_list"),
    path("profile/sessions/<int:session_id>/end", profile.session_end, name="signin_session_end"),
    path("profile/tokens", tokens.tokens, name="signin_tokens"),
    path("profile/tokens/new", tokens.create, name="signin_token_create"),
    path("profile/tokens/<uuid:token_id>/revoke", tokens.revoke, name="signin_token_revoke"),
    path("orgs", organisations.organisations, name="signin_organisations"),
    path("orgs/<slug:org>/sso", connections.page, name="signin_connections"),
    path("orgs/<slug:org>/sso/new/<slug:kind>", connections.create, name="signin_connection_create"),
    path(f"{_OF_CONNECTION}/policy", connections.policy, name="signin_connection_policy"),
    path(f"{_OF_CONNECTION}/groups", connections.groups, name="signin_connection_groups"),
    path(f"{_OF_CONNECTION}/test", connections.rehearse, name="signin_connection_test"),
    path(f"{_OF_CONNECTION}/delete", connections.delete, name="signin_connection_delete"),
    path(f"{_OF_CONNECTION}/domains", connections.domain_add, name="signin_domain_add"),
    path(
        "orgs/<slug:org>/sso/domains/<uuid:domain_id>/<slug:action>",
        connections.domain_change,
        name="signin_domain_change",
    ),
    path("invite/<str:token>", organisations.invitation, name="signin_invitation"),
    path("switch", organisations.switch, name="signin_switch"),
    path("sso/failed", sso.failed, name="socialaccount_signup"),
    path("sso/error", sso.failed, name="socialaccount_login_error"),
    path("sso/cancelled", sso.cancelled, name="socialaccount_login_cancelled"),
    path("sso/connections", profile.profile, name="socialaccount_connections"),
    path("sso/oidc/<slug:provider_id>/callback", oidc.callback, name="openid_connect_callback"),
    path("sso/saml/<slug:organization_slug>/acs", saml_answers.acs, name="saml_acs"),
    path("sso/saml/<slug:organization_slug>/acs/finish", saml.finish, name="saml_finish_acs"),
    path("sso/saml/<slug:organization_slug>/metadata", saml.metadata, name="saml_metadata"),
    path("sso/saml/<slug:organization_slug>/logout", saml.no_single_logout, name="saml_sls"),
]

NAMES: Final = frozenset(pattern.name for pattern in urlpatterns)
