"""Everything that the server keeps, as something that two moments can be compared by."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import redis
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model

from apps.credentials.process import forget_resolvers

# A refusal may still note that a person of this server was here.
PERSONAL: Final = frozenset({"django_session", "usersessions_usersession"})
SEEN: Final = frozenset({"last_login", "last_active_at"})

Rows = dict[str, list[tuple[Any, ...]]]
Keys = dict[bytes, bytes | None]
Values = dict[bytes, object]


def rows() -> Rows:
    """Every row of every table, as the database has it."""
    models = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    with connection.cursor() as cursor:
        return {table: _table(cursor, models[table]) for table in sorted(models.keys() - PERSONAL)}


def _table(cursor: Any, model: type[Model]) -> list[tuple[Any, ...]]:
    fields = [str(field.column) for field in model._meta.concrete_fields if field.column not in SEEN]
    columns = ", ".join(map(connection.ops.quote_name, fields))
    cursor.execute(f"SELECT {columns} FROM {connection.ops.quote_name(model._meta.db_table)}")
    return sorted(cursor.fetchall(), key=repr)


def keys(client: "redis.Redis") -> Keys:
    """Every key of Redis with its value as DUMP writes it."""
    names = sorted(cast("list[bytes]", client.keys()))
    pipeline = client.pipeline(transaction=False)
    for name in names:
        pipeline.dump(name)
    return dict(zip(names, pipeline.execute(), strict=True))


def values(client: "redis.Redis") -> Values:
    """Every key of Redis with what it holds, whatever order Redis keeps it in: reading may change that."""
    names = sorted(cast("list[bytes]", client.keys()))
    return {name: _READ.get(client.type(name), _dumped)(client, name) for name in names}


def _dumped(client: "redis.Redis", name: bytes) -> object:
    return client.dump(name)


_READ: Final[dict[object, Callable[["redis.Redis", bytes], object]]] = {
    b"hash": lambda client, name: client.hgetall(name),
    b"set": lambda client, name: client.smembers(name),
}


class Snapshot:
    def __init__(self, client: "redis.Redis") -> None:
        self._client = client
        self._rows, self._values = rows(), values(client)

    def changes(self) -> set[str]:
        """Names of the tables and keys that are not as they were."""
        now_rows, now = rows(), values(self._client)
        changed = {name for name in now_rows if now_rows[name] != self._rows[name]}
        changed_keys = {name for name in now | self._values if now.get(name) != self._values.get(name)}
        return changed | {name.decode() for name in changed_keys}


@contextmanager
def undone(client: "redis.Redis") -> Iterator[None]:
    """What happens inside leaves neither rows nor keys: the cast stands once for several trials."""
    known, point = keys(client), transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)
        now = keys(client)
        for name in now | known:
            if now.get(name) != known.get(name):
                client.delete(name)
                if (value := known.get(name)) is not None:
                    client.restore(name, 0, value)
        forget_resolvers()
