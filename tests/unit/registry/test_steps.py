"""The step entry and retries (spec 01 4.6)."""

import pytest

from tests.unit.registry.bodies import invalid_request_of, problems_of, spec_of

URL = "http://localhost:3000/x?fnId=f"


def steps(url: object = URL, **fields: object) -> dict[str, object]:
    return {"step": {"id": "step", "name": "step", "runtime": {"type": "http", "url": url}} | fields}


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (None, ["Functions must contain one step"]),
        ({}, ["Functions must contain one step"]),
        ({**steps(), "other": steps()["step"]}, ["Functions must contain one step"]),
        (steps("ftp://localhost/x"), ["Non-supported step schema: ftp"]),
        (steps(""), ["Non-supported step schema: "]),
        (steps(None), ["Non-supported step schema: "]),
        (steps(runtime=None), ["Non-supported step schema: "]),
        (steps("http:///x"), ["Invalid step URL: http:///x"]),
        (steps("http://[::1/x"), ["Invalid step URL: http://[::1/x"]),
        (steps("http://localhost:99999/"), ["Invalid step URL: http://localhost:99999/"]),
        (steps(name=""), ["A step name is required"]),
    ],
)
def test_problems(value: object, problems: list[str]) -> None:
    assert problems_of(steps=value) == problems


@pytest.mark.parametrize("url", [URL, "https://x.test/", "ws://connect?fnId=f", "wss://x.test/"])
def test_url_is_kept_with_its_query(url: str) -> None:
    assert spec_of(steps=steps(url)).url == url


def test_step_id() -> None:
    assert spec_of(steps=steps(id="main")).step_id == "main"
    assert spec_of(steps=steps(id="")).step_id == "step"


@pytest.mark.parametrize(
    ("step_retries", "function_retries", "expected"),
    [
        (None, None, 4),
        ({}, None, 4),
        ({"attempts": None}, None, 4),
        ({"attempts": 0}, None, 0),
        ({"attempts": 3}, 7, 3),
        (None, 7, 7),
        ({"attempts": 21}, None, 20),
        ({"attempts": 2.0}, None, 2),
        ({"attempts": -1}, None, 0),
    ],
)
def test_retries(step_retries: object, function_retries: object, expected: int) -> None:
    assert spec_of(steps=steps(retries=step_retries), retries=function_retries).retries == expected


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ([], "functions[0].steps must be an object"),
        ({"step": 1}, "functions[0].steps.step must be an object"),
        (steps(5), "functions[0].steps.step.runtime.url must be a string"),
        (steps(retries=3), "functions[0].steps.step.retries must be an object"),
        (steps(retries={"attempts": "3"}), "functions[0].steps.step.retries.attempts must be an integer"),
        (steps(retries={"attempts": True}), "functions[0].steps.step.retries.attempts must be an integer"),
        (steps(retries={"attempts": 1.5}), "functions[0].steps.step.retries.attempts must be an integer"),
        (
            steps(retries={"attempts": 2**31}),
            "functions[0].steps.step.retries.attempts must be between -2147483647 and 2147483647",
        ),
    ],
)
def test_wrong_types(value: object, detail: str) -> None:
    assert invalid_request_of(steps=value) == detail
