"""Ids that name nothing, shaped like those of a place; and answers with the ids taken out."""

import re
import uuid
from dataclasses import replace

from apps.engine import clock
from apps.engine.protocol.ids import new_ulid
from apps.registry.models import App, Function
from tests.isolation.cast import Place

_VARYING = re.compile(
    rb'(data-now="|name="csrfmiddlewaretoken" value="|nonce="|csrf-token" content="|X-CSRFToken": ")[^"]*'
    rb"|\d{4}-\d\d-\d\dT[\d:.]+Z"
)


def ghost_of(place: Place) -> Place:
    """The place with other ids, none of which exists."""
    app = App(id=uuid.uuid4(), name="ghost", url="http://127.0.0.1:9/ghost")
    function = Function(id=uuid.uuid4(), slug="ghost-work", name="Work of ghost", app=app)
    return replace(
        place,
        marker="ghost",
        app=app,
        function=function,
        run_id=_ulid(),
        ended_run_id=_ulid(),
        event_id=_ulid(),
        cancellation_id=_ulid(),
        ids={
            name: uuid.uuid4() if isinstance(known, uuid.UUID) else _ulid()
            for name, known in place.ids.items()
        },
    )


def _ulid() -> str:
    return new_ulid(clock.now_ms())


def without_ids(body: bytes, place: Place) -> bytes:
    """The answer with what names the place's things, and what each answer has anew, taken out."""
    words = [place.run_id, place.ended_run_id, place.event_id, place.cancellation_id]
    words += [str(place.app.id), place.app.id.hex, str(place.function.id)]
    words += [text for known in place.ids.values() for text in (str(known), str(known).replace("-", ""))]
    for word in [*words, place.app.url, place.function.slug, place.marker]:
        body = body.replace(word.encode(), b"*")
    return _VARYING.sub(rb"\1", body)
