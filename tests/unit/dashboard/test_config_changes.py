"""What differs between two configurations, as a person reads it."""

import json

from apps.dashboard.presenters.config_changes import MAX_CHANGES, MAX_TEXT, Change, config_changes


def changes(before: object, after: object) -> list[Change]:
    return config_changes(json.dumps(before), json.dumps(after))


def test_equal_configurations_have_no_changes() -> None:
    assert changes({"a": {"b": 1}, "c": []}, {"c": [], "a": {"b": 1}}) == []


def test_settings_are_told_by_their_path() -> None:
    before = {"name": "Ship", "steps": {"step": {"retries": {"attempts": 4}, "id": "step"}}, "old": True}
    after = {"name": "Ship it", "steps": {"step": {"retries": {"attempts": 2}, "id": "step"}}, "new": {}}
    assert changes(before, after) == [
        Change("name", '"Ship"', '"Ship it"'),
        Change("new", "", "{}"),
        Change("old", "true", ""),
        Change("steps.step.retries.attempts", "4", "2"),
    ]


def test_a_list_is_one_setting_and_keys_have_no_order() -> None:
    before = {"triggers": [{"event": "a", "expression": "x"}]}
    assert changes(before, {"triggers": [{"expression": "x", "event": "a"}]}) == []
    (change,) = changes(before, {"triggers": [{"event": "b"}]})
    assert change == Change("triggers", '[{"event": "a", "expression": "x"}]', '[{"event": "b"}]')


def test_long_values_are_cut_after_they_are_compared() -> None:
    (change,) = changes({"a": "x" * 500 + "1"}, {"a": "x" * 500 + "2"})
    assert len(change.before) == len(change.after) == MAX_TEXT + 1


def test_what_is_no_object_counts_as_an_empty_one() -> None:
    assert config_changes("", "[1]") == []
    assert config_changes("nope", '{"a": 1}') == [Change("a", "", "1")]


def test_there_are_not_too_many() -> None:
    assert len(changes({}, {f"k{number}": number for number in range(100)})) == MAX_CHANGES
