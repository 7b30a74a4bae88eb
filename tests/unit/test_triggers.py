import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.functions import FunctionSpec, Trigger
from apps.engine.triggers import TriggerIndex, patterns_for


@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        ("user", ("user",)),
        ("user.created", ("user.created", "user.*")),
        ("app/user.created", ("app/user.created", "app/*", "app/user.*")),
        ("api/v1/users", ("api/v1/users", "api/*", "api/v1/*")),
        ("a.b.c", ("a.b.c", "a.*", "a.b.*")),
        ("app/user.x.y", ("app/user.x.y", "app/*", "app/user.*", "app/user.x.*")),
        ("app/*", ("app/*",)),
        ("", ("",)),
    ],
)
def test_patterns(name: str, patterns: tuple[str, ...]) -> None:
    assert patterns_for(name) == patterns


def spec(slug: str, *triggers: Trigger) -> FunctionSpec:
    return FunctionSpec(
        id=slug,
        slug=slug,
        name=slug,
        app_id="app",
        app_name="app",
        env_id="env",
        account_id="account",
        version=1,
        url="http://127.0.0.1/",
        triggers=triggers,
    )


def found(index: TriggerIndex, name: str) -> list[tuple[str, list[Trigger]]]:
    return [(candidate.spec.slug, list(candidate.triggers)) for candidate in index.candidates(name)]


EXACT = Trigger(event="app/user.created")
WILD = Trigger(event="app/*")
DEEP = Trigger(event="app/user.*", expression="event.data.x == 1")
CRON = Trigger(cron="* * * * *")


def test_functions_and_triggers_come_in_declaration_order() -> None:
    index = TriggerIndex(
        [spec("b", WILD, CRON, EXACT), spec("c", Trigger(event="other")), spec("a", DEEP, WILD)]
    )
    assert found(index, "app/user.created") == [("b", [WILD, EXACT]), ("a", [DEEP, WILD])]
    assert found(index, "app/user.created") == [("b", [WILD, EXACT]), ("a", [DEEP, WILD])]
    assert found(index, "app/x") == [("b", [WILD]), ("a", [WILD])]
    assert found(index, "other") == [("c", [Trigger(event="other")])]


@pytest.mark.parametrize("name", ["App/user.created", "app", "", "application/x", "* * * * *"])
def test_other_names_match_nothing(name: str) -> None:
    assert found(TriggerIndex([spec("b", WILD, CRON, EXACT)]), name) == []


@pytest.mark.parametrize("literal", ["*", "foo*", "*/foo"])
def test_other_stars_are_literal(literal: str) -> None:
    index = TriggerIndex([spec("a", Trigger(event=literal))])
    assert found(index, "foo/foo") == []
    assert found(index, literal) == [("a", [Trigger(event=literal)])]


def test_memory_for_names_is_bounded() -> None:
    index = TriggerIndex([spec("a", WILD)])
    for number in range(10_001):
        assert found(index, f"app/{number}") == [("a", [WILD])]
    assert len(index._remembered) == 1


@settings(deadline=None)
@given(st.text(alphabet="ab/.*", max_size=12), st.text(alphabet="ab/.*", max_size=12))
def test_a_pattern_matches_by_its_prefix_only(pattern: str, name: str) -> None:
    expected = pattern == name or (pattern[-2:] in ("/*", ".*") and name.startswith(pattern[:-1]))
    assert bool(found(TriggerIndex([spec("a", Trigger(event=pattern))]), name)) is (
        expected and pattern != ""
    )
