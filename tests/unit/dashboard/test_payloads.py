from apps.dashboard.presenters.payloads import (
    MAX_COLOURED_CHARACTERS,
    MAX_SHOWN_CHARACTERS,
    code_block,
    error_view,
)


def test_an_error_object_is_taken_apart() -> None:
    error = error_view('{"name":"E","message":"m","stack":"s","cause":{"name":"C","message":"c"}}', "e")
    assert error is not None
    assert (error.name, error.message, error.stack) == ("E", "m", "s")
    assert error.cause is not None
    assert (error.cause.name, error.cause.message, error.cause.dom_id) == ("C", "c", "e-cause")


def test_odd_errors_still_say_something() -> None:
    text = error_view('"just text"', "e")
    unnamed = error_view('{"code":7}', "e")
    broken = error_view("{not json", "e")
    assert text is not None
    assert text.message == "just text"
    assert unnamed is not None
    assert (unnamed.name, unnamed.message) == ("Error", '{"code": 7}')
    assert broken is not None
    assert broken.message == "{not json"
    assert error_view("", "e") is None
    assert error_view("null", "e") is None


def test_endless_causes_are_cut() -> None:
    raw = '{"name":"E","cause":' * 50 + "null" + "}" * 50
    error = error_view(raw, "e")
    depth = 0
    while error is not None:
        depth, error = depth + 1, error.cause
    assert depth == 5


def test_text_that_is_not_json_is_shown_as_it_is() -> None:
    assert code_block("b", "Output", "a <b> c").html == "a &lt;b&gt; c"


def test_large_payloads_lose_their_colours_and_huge_ones_are_not_shown() -> None:
    large = '"' + "x" * MAX_COLOURED_CHARACTERS + '"'
    huge = '"' + "x" * MAX_SHOWN_CHARACTERS + '"'
    assert "<span" in code_block("b", "Output", '"x"').html
    assert "<span" not in code_block("b", "Output", large).html
    assert not code_block("b", "Output", large).is_too_large
    assert code_block("b", "Output", huge).html == ""
    assert code_block("b", "Output", huge).is_too_large
    assert code_block("b", "Output", huge).size_text == "1.0 MiB"


def test_the_digest_changes_with_the_payload_only() -> None:
    assert code_block("a", "Output", "1").digest == code_block("b", "Input", "1").digest
    assert code_block("a", "Output", "1").digest != code_block("a", "Output", "2").digest
