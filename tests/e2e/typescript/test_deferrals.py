"""Deferred functions of v4: they start when the run that asked for them has ended."""

import pytest

from tests.e2e.typescript.sdk_app import SdkApp

pytestmark = pytest.mark.needs_node


def test_deferred_function_starts_at_the_end(v4: SdkApp, key: str) -> None:
    """And the one that was taken back does not."""
    run = v4.run("defers", key)
    assert run["output"] == "parent"
    v4.process.wait_for_label(key, "clean-up")
    assert v4.labels(key) == ["work", "end", "clean-up"]
    (call,) = v4.calls(key, "clean-up")
    assert call["data"] == {"key": key, "note": "kept"}
    assert call["parent"] == {"fnSlug": f"{v4.prefix}-defers", "runId": run["run_id"]}


def test_deferral_in_the_last_request_of_a_run(v4: SdkApp, key: str) -> None:
    """A checkpoint brings it, after the run's state has been read for that request."""
    v4.run("defers-at-once", key)
    v4.process.wait_for_label(key, "clean-up")
    assert v4.labels(key) == ["work", "clean-up"]


@pytest.mark.parametrize("works", [True, False])
def test_deferral_of_a_run_that_fails(v4: SdkApp, key: str, works: bool) -> None:
    run = v4.run("defers-then-fails", key, works=works, status="Failed")
    assert run["output"]["message"] == "the parent failed"
    v4.process.wait_for_label(key, "clean-up")
    assert v4.labels(key) == [*(["work"] if works else []), "throws", "throws", "clean-up"]


def test_error_that_comes_together_with_a_deferral(v4: SdkApp, key: str) -> None:
    """An operation carries it, under an id that stands for the function itself."""
    run = v4.run("defers-then-fails-classic", key, works=False, status="Failed")
    assert (run["output"]["name"], run["output"]["message"]) == ("Error", "the parent failed")
    v4.process.wait_for_label(key, "clean-up")
    assert v4.labels(key) == ["throws", "clean-up"]
    assert v4.ops(key)[0] == ["DeferAdd", "StepFailed"]
