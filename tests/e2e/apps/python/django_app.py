"""The Django app, in one file, on ASGI."""

import datetime
import os

import django
import inngest
import inngest.django
import uvicorn
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from recorder import note, recorder, returning

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="app", USE_TZ=True)
django.setup()

client = inngest.Inngest(app_id="py-django")


@client.create_function(fn_id="django-chain", trigger=inngest.TriggerEvent(event="django/chain"))
async def chain(ctx: inngest.Context) -> object:
    one = await ctx.step.run("one", returning(ctx, "one", {"é": 1}))
    await ctx.step.sleep("nap", datetime.timedelta(milliseconds=100))
    return [one, await ctx.step.run("two", returning(ctx, "two", 2))]


@client.create_function(fn_id="django-parallel", trigger=inngest.TriggerEvent(event="django/parallel"))
async def parallel(ctx: inngest.Context) -> object:
    names = ("a", "b", "c")
    steps = tuple(lambda name=name: ctx.step.run(name, returning(ctx, name, name)) for name in names)
    return list(await ctx.group.parallel(steps))


async def on_failure(ctx: inngest.Context) -> None:
    recorder.add(str(ctx.event.data["event"]["data"]["key"]), "on-failure")


@client.create_function(
    fn_id="django-fails",
    retries=1,
    on_failure=on_failure,
    trigger=inngest.TriggerEvent(event="django/fails"),
)
async def fails(ctx: inngest.Context) -> object:
    note(ctx, "body")
    raise ValueError("django says no")


async def calls(request: HttpRequest) -> HttpResponse:
    return JsonResponse(recorder.calls(), safe=False)


async def reset(request: HttpRequest) -> HttpResponse:
    recorder.clear()
    return HttpResponse()


urlpatterns = [
    inngest.django.serve(client, [chain, parallel, fails]),
    path("_calls", calls),
    path("_reset", reset),
]

application = get_asgi_application()

if __name__ == "__main__":
    uvicorn.run(application, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="info", lifespan="off")
