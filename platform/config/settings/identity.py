"""Who signs in and how (apps/identity, apps/signin): django-allauth's settings, sessions, passwords, mail."""

import environ

from config.settings import environment as env

AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"

IDENTITY_APPS = [
    "apps.identity",
    "apps.signin",  # before allauth, whose templates it replaces
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "allauth.usersessions",
]
# After the middlewares of sessions, authentication and messages.
IDENTITY_MIDDLEWARE = [
    "allauth.account.middleware.AccountMiddleware",
    "apps.signin.middleware.entrance",
]

# Mail. Without a server for it nothing is sent, and so nothing can be verified by it.
EMAIL_URL = env.secret("EMAIL_URL")
IS_MAIL_CONFIGURED = bool(EMAIL_URL)
if IS_MAIL_CONFIGURED:
    _mail = environ.Env.email_url_config(EMAIL_URL)
    EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
    EMAIL_HOST = _mail["EMAIL_HOST"]
    EMAIL_PORT = _mail["EMAIL_PORT"] or 25
    EMAIL_HOST_USER = _mail["EMAIL_HOST_USER"]
    EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
    EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
    EMAIL_FILE_PATH = _mail["EMAIL_FILE_PATH"] or None
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("STEPWELL_MAIL_FROM", default="Stepwell <stepwell@localhost>")

# Who may make a user: anyone, or people with an invitation (single sign-on has its own rule).
STEPWELL_SIGN_UP = env.choice(
    "STEPWELL_SIGN_UP",
    allowed=("open", "invitation"),
    default="open" if IS_MAIL_CONFIGURED else "invitation",
)

# Sessions end this long after sign-in; revoking one takes effect with its next request, as they are rows.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = env.integer("STEPWELL_SESSION_DAYS", default=14, minimum=1, maximum=365) * 86_400
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # of users made before
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

ACCOUNT_ADAPTER = "apps.signin.adapters.account.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "apps.signin.forms.NameForm"
ACCOUNT_FORMS = {"signup": "apps.signin.sign_up.SignUpForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_PASSWORD_MIN_LENGTH = 10
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "/sign-in"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 2
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Stepwell: "
ACCOUNT_EMAIL_NOTIFICATIONS = IS_MAIL_CONFIGURED
# Codes instead of links: nothing in a mail depends on the Host header, and scanners of mail cannot use them.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if IS_MAIL_CONFIGURED else "none"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = IS_MAIL_CONFIGURED
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 900
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/300s/key",
    "signup": "20/m/ip",
    "reset_password": "20/m/ip,5/m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "confirm_email": "1/10s/key",
}

MFA_ADAPTER = "apps.signin.adapters.mfa.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Stepwell"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Without verified addresses there is nothing to insist on.
MFA_ALLOW_UNVERIFIED_EMAIL = not IS_MAIL_CONFIGURED

# Single sign-on of organisations: its providers come from SsoConnection, none from here.
SOCIALACCOUNT_ADAPTER = "apps.signin.adapters.social.SocialAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"  # who vouches for an address is decided by the adapter
SOCIALACCOUNT_AUTO_SIGNUP = True
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True}}

USERSESSIONS_TRACK_ACTIVITY = True
