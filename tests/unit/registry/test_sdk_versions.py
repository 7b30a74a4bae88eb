"""The operator's list of refused SDK versions."""

import pytest

from apps.registry.validation.sdk_versions import is_denied, parse_rule

RANGE = parse_rule("js:3.22.0-3.53.1")


@pytest.mark.parametrize(
    ("language", "version", "denied"),
    [
        ("js", "v3.22.0", True),
        ("js", "v3.53.1", True),
        ("JS", "3.30.2-beta.1", True),
        ("js", "v3.21.9", False),
        ("js", "v3.53.2", False),
        ("js", "v3.54.0", False),
        ("py", "v3.30.0", False),
        ("js", "", False),
        ("js", "unknown", False),
    ],
)
def test_range(language: str, version: str, denied: bool) -> None:
    assert is_denied(language, version, [RANGE]) is denied


def test_single_version() -> None:
    rule = parse_rule("inngest-kt:v0.1.3")

    assert is_denied("inngest-kt", "v0.1.3", [rule])
    assert not is_denied("inngest-kt", "v0.1.4", [rule])
    assert not is_denied("js", "v1.0.0", [])


@pytest.mark.parametrize("text", ["", "js", "js:", "js:1.0-", "js:a", "js:1.0 - 2.0"])
def test_bad_rule(text: str) -> None:
    with pytest.raises(ValueError, match="not an SDK version rule"):
        parse_rule(text)
