"""The encryption middleware: the platform carries what it cannot read."""

import pytest

from tests.e2e.typescript.sdk_app import SECRET_WORD, SdkApp

pytestmark = pytest.mark.needs_node


def test_platform_never_sees_the_secret(app: SdkApp, key: str) -> None:
    app.run("secret:send-secret", key)
    app.process.wait_for_label(key, "again")
    (read,), (again,) = app.calls(key, "read"), app.calls(key, "again")
    assert read["encrypted"] == {"word": SECRET_WORD}
    assert again["secret"] == f"read {SECRET_WORD}"
    events = app.stepwell.http.get("/v1/events", params={"name": f"{app.prefix}-secret/secret"}).json()
    (event,) = [one for one in events["data"] if one["data"]["key"] == key]
    assert event["data"]["encrypted"].keys() == {"__ENCRYPTED__", "__STRATEGY__", "data"}
    run = app.stepwell.wait_for_run(event["id"])
    assert run["output"].keys() == {"__ENCRYPTED__", "__STRATEGY__", "data"}
    database = app.stepwell.server.stored_bytes()
    assert key.encode() in database
    assert SECRET_WORD.encode() not in database
