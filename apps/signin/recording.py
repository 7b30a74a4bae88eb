"""Signing in and out, and changes of passwords and second factors, in the audit log of every account that the
user belongs to, or of the installation where that is none (spec 05, 2.8). Signals are the library's only word
about most of this.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from allauth.account import signals as account_signals
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.db import DatabaseError, transaction
from django.dispatch import Signal
from django.http import HttpRequest

from apps.audit.actors import Actor
from apps.audit.http import actor_from
from apps.audit.models import ActorKind
from apps.audit.services import INSTALLATION_ID, audit_record
from apps.identity.models import User
from apps.tenancy.row_security import beyond_organisations

_CHANGES: Final[tuple[tuple[Signal, str], ...]] = (
    (account_signals.user_signed_up, "user.sign_up"),
    (account_signals.password_changed, "user.password_change"),
    (account_signals.password_set, "user.password_set"),
    (account_signals.password_reset, "user.password_reset"),
)
_FACTORS: Final[tuple[tuple[Signal, str], ...]] = (
    (mfa_signals.authenticator_added, "user.second_factor_add"),
    (mfa_signals.authenticator_removed, "user.second_factor_remove"),
    (mfa_signals.authenticator_reset, "user.second_factor_reset"),
)

logger = logging.getLogger(__name__)


def connect() -> None:
    # The library's signal comes after Django's, when single sign-on has made the user a member.
    account_signals.user_logged_in.connect(_signed_in, dispatch_uid="signin.signed_in")
    user_logged_out.connect(_signed_out, dispatch_uid="signin.signed_out")
    user_login_failed.connect(_refused, dispatch_uid="signin.refused")
    mfa_signals.authentication_failed.connect(_factor_refused, dispatch_uid="signin.factor_refused")
    account_signals.email_changed.connect(_email_changed, dispatch_uid="signin.email_changed")
    for signal, action in _CHANGES:
        signal.connect(partial(_changed, action), weak=False, dispatch_uid=action)
    for signal, action in _FACTORS:
        signal.connect(partial(_factor_changed, action), weak=False, dispatch_uid=action)


def record(user: User, request: HttpRequest, action: str, *, is_success: bool = True, **details: str) -> None:
    """One entry in each account of the user; one in the log of the installation for who is no member."""
    actor = _actor(request, user)
    with beyond_organisations(), transaction.atomic():
        accounts = user.memberships.order_by("account_id").values_list("account_id", flat=True)
        for account_id in list(accounts) or [INSTALLATION_ID]:
            audit_record(
                account_id=account_id,
                actor=actor,
                action=action,
                target_type="user",
                target_id=user.id,
                target_label=user.email,
                after=details,
                is_success=is_success,
            )


def after_answer(request: HttpRequest, job: Callable[[], None]) -> None:
    """Have the middleware do it once the answer is sent, so that its time says nothing to whoever asked."""
    jobs = getattr(request, "after_answer", None)
    if jobs is None:
        job()
    else:
        jobs.append(job)


def _actor(request: HttpRequest, user: User) -> Actor:
    return actor_from(request, ActorKind.USER, str(user.id), user.email)


def record_sign_in(user: User, request: HttpRequest) -> None:
    record(user, request, "user.sign_in", method=_method(request))


def _signed_in(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    record_sign_in(user, request)


def _signed_out(sender: Any, request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if request is not None and user is not None:
        record(user, request, "user.sign_out")


def _refused(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """An attempt for an address that nobody has is nobody's; both take the same time until the answer."""
    email = User.objects.normalize_email(credentials.get("email") or credentials.get("username"))
    if request is not None and email:
        after_answer(request, partial(_record_refusal, email, request))


def _record_refusal(email: str, request: HttpRequest) -> None:
    user = User.objects.filter(email=email).first()
    if user is None:
        return
    try:
        record(user, request, "user.sign_in", is_success=False, method="password")
    except DatabaseError:
        logger.exception("a refused sign-in is not in the audit log")


def _factor_refused(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    record(user, request, "user.sign_in", is_success=False, method="second factor")


def _email_changed(sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    record(user, request, "user.email_change", email=user.email)


def _changed(action: str, sender: Any, request: HttpRequest, user: User, **_: Any) -> None:
    record(user, request, action)


def _factor_changed(
    action: str, sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    record(user, request, action, factor=authenticator.get_type_display())


def _method(request: HttpRequest) -> str:
    """How the user has proven who they are, the last step first."""
    steps = request.session.get("account_authentication_methods", [])
    return ", ".join(dict.fromkeys(str(step.get("method", "")) for step in steps))
