"""Register bodies for tests: real ones of SDKs, and a small one to vary."""

import json
from pathlib import Path

from apps.engine.functions import FunctionSpec
from apps.registry.validation import Registration, RegistrationError, validate_registration

SDK_BODIES = Path(__file__).parent / "sdk_bodies"
URL = "http://localhost:3000/api/inngest"


def sdk_body(name: str) -> bytes:
    return (SDK_BODIES / f"{name}.json").read_bytes()


def function(slug: str = "shop-f", /, **settings: object) -> dict[str, object]:
    """A valid configuration; a setting replaces or adds a field."""
    step = {"id": "step", "name": "step", "runtime": {"type": "http", "url": step_url(slug)}}
    base = {"id": slug, "name": "F", "triggers": [{"event": "a"}], "steps": {"step": step}}
    return base | settings


def step_url(slug: str) -> str:
    return f"{URL}?fnId={slug}&stepId=step"


def register_body(*functions: object, **fields: object) -> bytes:
    base = {"url": URL, "deployType": "ping", "appName": "shop", "framework": "express", "v": "0.1"}
    return json.dumps(base | {"sdk": "js:v4.24.0", "functions": list(functions)} | fields).encode()


def accepted(body: bytes) -> Registration:
    result = validate_registration(body)
    assert isinstance(result, Registration), result
    return result


def refused(body: bytes) -> RegistrationError:
    result = validate_registration(body)
    assert isinstance(result, RegistrationError), result
    return result


def spec_of(**settings: object) -> FunctionSpec:
    """The normalised form of a function with these settings."""
    [result] = accepted(register_body(function(**settings))).functions
    return result.spec


def problems_of(**settings: object) -> list[str]:
    """The error texts of a function with these settings."""
    message = refused(register_body(function(**settings))).message
    prefix = "At least one function is invalid: 'shop-f': "
    assert message.startswith(prefix)
    return message.removeprefix(prefix).split("; ")


def invalid_request_of(**settings: object) -> str:
    """The detail of the refusal of a body that holds a function with these settings."""
    error = refused(register_body(function(**settings)))
    prefix = "Invalid request: "
    assert error.body() == {"error": error.message}
    assert error.message.startswith(prefix)
    return error.message.removeprefix(prefix)
