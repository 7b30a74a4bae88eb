"""The Flask app: functions that are no coroutines, on a threaded WSGI server."""

import datetime
import os

import flask
import inngest
import inngest.flask
from recorder import note, recorder

client = inngest.Inngest(app_id="py-flask")
app = flask.Flask(__name__)


@client.create_function(fn_id="flask-chain", trigger=inngest.TriggerEvent(event="flask/chain"))
def chain(ctx: inngest.ContextSync) -> object:
    def body(label: str) -> str:
        note(ctx, label)
        return label

    one = ctx.step.run("one", lambda: body("one"))
    ctx.step.sleep("nap", datetime.timedelta(milliseconds=100))
    return [one, ctx.step.run("two", lambda: body("two"))]


@client.create_function(fn_id="flask-fails", retries=1, trigger=inngest.TriggerEvent(event="flask/fails"))
def fails(ctx: inngest.ContextSync) -> object:
    def bad() -> None:
        note(ctx, "bad")
        raise ValueError("flask says no")

    try:
        ctx.step.run("bad", bad)
    except inngest.StepError as error:
        return f"{error.name}: {error.message}"
    return None


@client.create_function(fn_id="flask-parallel", trigger=inngest.TriggerEvent(event="flask/parallel"))
def parallel(ctx: inngest.ContextSync) -> object:
    def body(label: str) -> str:
        note(ctx, label)
        return label

    names = ("a", "b", "c")
    steps = tuple(lambda name=name: ctx.step.run(name, lambda: body(name)) for name in names)
    return list(ctx.group.parallel(steps))


@client.create_function(fn_id="flask-waits", trigger=inngest.TriggerEvent(event="flask/waits"))
def waits(ctx: inngest.ContextSync) -> object:
    answer = ctx.step.wait_for_event(
        "wait",
        event="flask/answer",
        if_exp="async.data.key == event.data.key",
        timeout=datetime.timedelta(minutes=1),
    )
    sent = ctx.step.send_event("send", inngest.Event(name="flask/sent", data={"n": answer.data["n"]}))
    return {"n": answer.data["n"], "sent": len(sent)}


@app.get("/_calls")
def calls() -> list[dict[str, object]]:
    return recorder.calls()


@app.post("/_reset")
def reset() -> str:
    recorder.clear()
    return ""


inngest.flask.serve(app, client, [chain, fails, parallel, waits])

if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
