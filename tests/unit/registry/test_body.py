"""The register body as a whole: answers of spec 01 4.4."""

import json

import pytest

from apps.registry.validation import Limits, RegistrationError, validate_registration
from tests.unit.registry.bodies import URL, accepted, function, refused, register_body


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "body is not JSON: "),
        (b"{", "body is not JSON: "),
        (b"[]", "body must be an object"),
        (b"null", "body must be an object"),
        (b'"text"', "body must be an object"),
        (b'{"appName": 5}', "appName must be a string"),
        (b'{"appName": "a", "functions": {}}', "functions must be an array"),
        (b'{"appName": "a", "functions": [7]}', "functions[0] must be an object"),
        (b'{"appName": "a", "url": []}', "url must be a string"),
        (b'{"appName": "a\\u0000"}', "appName must not contain a NUL character"),
        (b'{"appName": "' + b"a" * 256 + b'"}', "appName is longer than 255 bytes"),
        (b"[" * 5000, "body is not JSON: "),
    ],
)
def test_body_that_cannot_be_decoded(body: bytes, detail: str) -> None:
    error = refused(body)

    assert error.status == 400
    assert error.body() == {"error": error.message}
    assert error.message.startswith(f"Invalid request: {detail}")


@pytest.mark.parametrize("body", [b"{}", b'{"appName": ""}', b'{"appName": " "}', b'{"appName": null}'])
def test_app_name_is_required(body: bytes) -> None:
    assert refused(body).body() == {"error": "App ID required", "data": None, "status": 400}


def test_errors_of_all_functions_are_collected_in_one_envelope() -> None:
    broken = [
        function("shop-a", name="", triggers=[{"cron": "foo"}]),
        function("shop-b"),
        function("shop-c", steps={}),
    ]
    assert refused(register_body(*broken)).body() == {
        "error": (
            "At least one function is invalid: "
            "'shop-a': A function name is required; 'foo' isn't a valid cron schedule; "
            "'shop-c': Functions must contain one step"
        ),
        "data": None,
        "status": 400,
    }


def test_keys_are_case_insensitive_and_null_equals_absent() -> None:
    body = {"APPNAME": "shop", "URL": URL, "Functions": None, "framework": None, "sdk": "py:v0.5.19"}
    registration = accepted(json.dumps(body).encode())

    assert registration.head.app_name == "shop"
    assert registration.head.url == URL
    assert registration.head.framework == ""
    assert registration.functions == ()


def test_no_functions_are_valid() -> None:
    assert accepted(register_body()).functions == ()


def test_of_two_functions_with_one_id_the_last_wins() -> None:
    registration = accepted(register_body(function(name="first"), function(name="last")))

    assert [item.spec.name for item in registration.functions] == ["last"]


def test_missing_id_is_made_from_the_name() -> None:
    [item] = accepted(register_body(function(id="", name="My 1st Function!"))).functions

    assert item.slug == "my-1st-function"


def test_configuration_is_kept_as_registered() -> None:
    config = function(meta={"b": 1, "a": [None, 1.5]})
    [item] = accepted(register_body(config)).functions

    assert json.loads(item.config) == config


def test_checksum_depends_on_the_configuration_only() -> None:
    plain = accepted(register_body(function())).head.checksum
    telemetry = accepted(register_body(function(), featureObservations={"x": 1}, idempotencyKey="k"))
    changed = accepted(register_body(function(retries=1))).head.checksum

    assert len(plain) == 64
    assert telemetry.head.checksum == plain
    assert changed != plain


def test_too_many_functions_or_bytes() -> None:
    body = register_body(function("shop-a"), function("shop-b"))

    by_count = validate_registration(body, Limits(functions=1))
    by_size = validate_registration(body, Limits(body_bytes=10))

    assert isinstance(by_count, RegistrationError)
    assert by_count.message == "Invalid request: more than 1 functions"
    assert isinstance(by_size, RegistrationError)
    assert by_size.message == "Invalid request: body is larger than 10 bytes"
    assert Limits() == Limits(
        body_bytes=5_242_880, functions=1_000, batch_size=1_000, batch_timeout_ms=60_000
    )


def test_function_without_a_name_or_an_id_is_named_by_its_place() -> None:
    assert refused(register_body(function(id="", name=" "))).message == (
        "At least one function is invalid: 'functions[0]': A function name is required"
    )


def test_overlong_function_id() -> None:
    long_id = "é" * 128
    assert refused(register_body(function(long_id))).message == (
        f"At least one function is invalid: '{long_id}': "
        "function id is too long. maximum length is 255 characters"
    )
