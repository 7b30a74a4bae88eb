"""Validation of whole registrations: every error of every function is collected."""

from apps.registry.validation.body import DecodedBody, decode_body
from apps.registry.validation.fields import InvalidRequestError
from apps.registry.validation.function import read_function
from apps.registry.validation.limits import DEFAULT_LIMITS, Limits
from apps.registry.validation.problems import Problems
from apps.registry.validation.results import (
    RegisteredFunction,
    Registration,
    RegistrationError,
    RegistrationHead,
    invalid_request,
)


def validate_registration(body: bytes, limits: Limits = DEFAULT_LIMITS) -> Registration | RegistrationError:
    """A register body (spec 01 4.4) or an in-band answer (4.5) in normalised form, or why it is refused."""
    decoded = decode_body(body, limits)
    return decoded if isinstance(decoded, RegistrationError) else validate_functions(decoded, limits)


def validate_functions(
    decoded: DecodedBody, limits: Limits = DEFAULT_LIMITS
) -> Registration | RegistrationError:
    try:
        results = _read_all(decoded, limits)
    except InvalidRequestError as error:
        return invalid_request(str(error), decoded.head)
    refused = [result for result in results if isinstance(result, Problems)]
    if refused:
        return _invalid_functions(decoded.head, refused)
    accepted = [result for result in results if isinstance(result, RegisteredFunction)]
    # Of two functions with one id the last wins (spec 01 4.6).
    by_slug = {function.slug: function for function in accepted}
    return Registration(decoded.head, tuple(by_slug.values()))


def _read_all(decoded: DecodedBody, limits: Limits) -> list[RegisteredFunction | Problems]:
    return [
        read_function(value, f"functions[{index}]", decoded.head.app_name, limits)
        for index, value in enumerate(decoded.functions)
    ]


def _invalid_functions(head: RegistrationHead, refused: list[Problems]) -> RegistrationError:
    # SDKs and the outcome table of spec 01 4.2 look for the phrase "function is invalid".
    reasons = "; ".join(str(problems) for problems in refused)
    return RegistrationError(f"At least one function is invalid: {reasons}", "invalid_function", head)
