"""Live runs, as the engine holds them."""

from apps.engine.bridge import engine_call
from apps.engine.functions import FunctionSpec
from apps.engine.store.requests import RerunRequest
from tests.integration.history.life import ACCOUNT, APP, ENV, EVENT, FUNCTION

SPEC = FunctionSpec(
    id=FUNCTION,
    slug="myapp-hello",
    name="Hello",
    app_id=APP,
    app_name="myapp",
    env_id=ENV,
    account_id=ACCOUNT,
    version=4,
    url="http://127.0.0.1:9/api/inngest?fnId=myapp-hello&stepId=step",
)


def publish() -> None:
    engine_call(lambda engine: engine.publish_functions([SPEC]))


def start_run() -> str:
    """A run that is queued and that nobody executes; its id."""
    publish()
    request = RerunRequest(ENV, FUNCTION, [b"{}"], [EVENT], ["demo/hello"], "")
    return engine_call(lambda engine: engine.rerun(request))


def is_live(run_id: str) -> bool:
    return engine_call(lambda engine: engine.is_live(ENV, run_id))
