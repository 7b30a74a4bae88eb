"""Celery tasks of operations. One that is lost is sent again by the dispatcher."""

from celery import shared_task

from apps.operations.services import walking


@shared_task(name="operations.cancellation_walk")
def cancellation_walk(cancellation_id: str) -> None:
    walking.cancellation_walk(cancellation_id)
