"""Code that a newcomer copies from the empty pages."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.http import HttpRequest

EXAMPLE_EVENT: Final = '{\n  "name": "shop/order.placed",\n  "data": {\n    "orderId": "A-1042"\n  }\n}'

_TYPESCRIPT: Final = """\
// INNGEST_DEV={origin} node server.mjs
import {{ Inngest }} from "inngest";
import {{ createServer }} from "inngest/node";

const inngest = new Inngest({{ id: "shop" }});

const orderPlaced = inngest.createFunction(
  {{ id: "order-placed", triggers: [{{ event: "shop/order.placed" }}] }},
  async ({{ event, step }}) => {{
    const invoice = await step.run("make-invoice", () => `INV-${{event.data.orderId}}`);
    await step.sleep("cool-off", "5s");
    return {{ invoice }};
  }},
);

createServer({{ client: inngest, functions: [orderPlaced] }}).listen(3000);
"""

_PYTHON: Final = """\
# INNGEST_DEV={origin} uvicorn main:app --port 8000
import fastapi
import inngest
import inngest.fast_api

client = inngest.Inngest(app_id="shop", is_production=False)

@client.create_function(
    fn_id="order-placed",
    trigger=inngest.TriggerEvent(event="shop/order.placed"),
)
async def order_placed(ctx: inngest.Context) -> dict:
    invoice = await ctx.step.run("make-invoice", lambda: f"INV-{{ctx.event.data['orderId']}}")
    await ctx.step.sleep("cool-off", 5000)
    return {{"invoice": invoice}}

app = fastapi.FastAPI()
inngest.fast_api.serve(app, client, [order_placed])
"""

_TYPESCRIPT_ON_SERVER: Final = """\
import { Inngest } from "inngest";
import { createServer } from "inngest/node";

const inngest = new Inngest({ id: "shop", isDev: false });

const orderPlaced = inngest.createFunction(
  { id: "order-placed", triggers: [{ event: "shop/order.placed" }] },
  async ({ event, step }) => {
    const invoice = await step.run("make-invoice", () => `INV-${event.data.orderId}`);
    await step.sleep("cool-off", "5s");
    return { invoice };
  },
);

createServer({ client: inngest, functions: [orderPlaced] }).listen(3000);
"""

_PYTHON_ON_SERVER: Final = """\
import fastapi
import inngest
import inngest.fast_api

client = inngest.Inngest(app_id="shop", is_production=True)

@client.create_function(
    fn_id="order-placed",
    trigger=inngest.TriggerEvent(event="shop/order.placed"),
)
async def order_placed(ctx: inngest.Context) -> dict:
    invoice = await ctx.step.run("make-invoice", lambda: f"INV-{ctx.event.data['orderId']}")
    await ctx.step.sleep("cool-off", 5000)
    return {"invoice": invoice}

app = fastapi.FastAPI()
inngest.fast_api.serve(app, client, [order_placed])
"""

_SEND: Final = """\
curl {origin}/e/dev -d '{{"name": "shop/order.placed", "data": {{"orderId": "A-1042"}}}}'
"""


@dataclass(frozen=True, slots=True)
class Snippet:
    dom_id: str
    language: str
    label: str
    text: str


def origin(request: HttpRequest) -> str:
    parts = urlsplit(request.build_absolute_uri("/"))
    return f"{parts.scheme}://{parts.netloc}"


def deliver_snippet() -> Snippet:
    """Sends to a webhook whose URL the shell knows."""
    text = """curl "$WEBHOOK_URL" -H 'Content-Type: application/json' -d '{"type": "test"}'"""
    return Snippet("snippet-deliver", "curl", "Try it yourself", text)


@dataclass(frozen=True, slots=True)
class ExampleApp:
    """An app that reads its keys and this server's address from the environment; `code` is all of it."""

    code: Snippet
    install: Snippet
    start: Snippet
    local_url: str


def example_apps() -> list[ExampleApp]:
    return [
        ExampleApp(
            Snippet("snippet-python", "Python", "main.py", _PYTHON_ON_SERVER),
            Snippet("install-python", "Python", "Terminal", "pip install inngest fastapi uvicorn"),
            Snippet("start-python", "Python", "Start it, in Python", "uvicorn main:app --port 8000"),
            "http://localhost:8000/api/inngest",
        ),
        ExampleApp(
            Snippet("snippet-typescript", "TypeScript", "server.mjs", _TYPESCRIPT_ON_SERVER),
            Snippet("install-typescript", "TypeScript", "Terminal", "npm install inngest"),
            Snippet("start-typescript", "TypeScript", "Start it, in TypeScript", "node server.mjs"),
            "http://localhost:3000/api/inngest",
        ),
    ]


def send_snippet(origin_url: str) -> Snippet:
    text = _SEND.format(origin=origin_url).replace("/e/dev", "/e/$INNGEST_EVENT_KEY")
    return Snippet("snippet-event", "Shell", "Send an event", text)


def app_snippets(request: HttpRequest) -> list[Snippet]:
    here = origin(request)
    return [
        Snippet("snippet-typescript", "TypeScript", "server.mjs", _TYPESCRIPT.format(origin=here)),
        Snippet("snippet-python", "Python", "main.py", _PYTHON.format(origin=here)),
    ]


def event_snippet(request: HttpRequest) -> Snippet:
    return Snippet("snippet-event", "Shell", "Send an event", _SEND.format(origin=origin(request)))
