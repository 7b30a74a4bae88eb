"""Names and slugs of organisations and environments (spec 05, 1.4 and 1.5)."""

from uuid import UUID

import pytest

from apps.tenancy.exceptions import InvalidName
from apps.tenancy.names import clean_name, make_slug, normal_name

ID = UUID("1a2b3c4d-0000-4000-8000-000000000000")


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Staging", "staging"),
        ("feature/Login Page", "feature-login-page"),
        ("  Éclair -- 2 ", "eclair-2"),
        ("dependabot/npm_and_yarn/x-1.2.3", "dependabot-npm-and-yarn-x-1-2-3"),
        ("a" * 80, "a" * 50),
        ("a" * 49 + "-b", "a" * 49),
        ("日本", "1a2b3c4d"),
        ("///", "1a2b3c4d"),
    ],
)
def test_slug(name: str, slug: str) -> None:
    assert make_slug(name, ID, ()) == slug


def test_a_taken_slug_gets_the_first_block_of_the_id() -> None:
    assert make_slug("Staging", ID, {"staging"}) == "staging-1a2b3c4d"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("main", " MAIN "),
        ("straße", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
    ],
)
def test_names_that_are_the_same(one: str, other: str) -> None:
    assert normal_name(one) == normal_name(other)


def test_names_that_differ() -> None:
    assert normal_name("feature/a") != normal_name("feature-a")


def test_a_name_is_shown_as_it_was_written() -> None:
    assert clean_name("  Feature/ÄÖ 🚀 ") == "Feature/ÄÖ 🚀"


@pytest.mark.parametrize("length", [1, 255])
def test_lengths_that_are_allowed(length: int) -> None:
    assert clean_name("x" * length) == "x" * length


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 256,
        "ß" * 128,
        "a\nb",
        "a\x00b",
        "a\x7fb",
        "a\u2028b",
        "a\u202eb",
        "a\u2066b",
        "\ud800",
    ],
    ids=ascii,
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(InvalidName) as refusal:
        clean_name(name)
    assert refusal.value.code == "invalid_name"
