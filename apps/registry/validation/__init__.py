"""Validation of what SDKs register (spec 01 4.4 to 4.6, spec 02 4.9 and 9.3). Pure code: no Django."""

from apps.registry.validation.body import DecodedBody, decode_body
from apps.registry.validation.limits import DEFAULT_LIMITS, Limits
from apps.registry.validation.registration import validate_functions, validate_registration
from apps.registry.validation.results import (
    RegisteredFunction,
    Registration,
    RegistrationError,
    RegistrationHead,
)

__all__ = [
    "DEFAULT_LIMITS",
    "DecodedBody",
    "Limits",
    "RegisteredFunction",
    "Registration",
    "RegistrationError",
    "RegistrationHead",
    "decode_body",
    "validate_functions",
    "validate_registration",
]
