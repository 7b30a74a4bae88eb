"""What the operator console shows, over the data of `tenants`: `python -m tests.browser.seed_console`."""

from tests.browser.seed import set_up_django

TENANTS = 3


def write() -> None:
    """Three organisations with one of everything, one bound to networks, one suspended, and a repair on
    record."""
    import redis
    from django.conf import settings

    from apps.engine.keys import Keys
    from apps.tenancy.models import Account, AccountStatus
    from tests.integration.organisations.console_rows import populate

    for number in range(1, TENANTS + 1):
        populate(number)
    Account.objects.filter(name="Tenant 1").update(allowed_networks=["192.0.2.0/24", "2001:db8::/32"])
    Account.objects.filter(name="Tenant 3").update(
        status=AccountStatus.SUSPENDED, entitlements={"environments": 200}
    )
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.hset(Keys(settings.STEPWELL_SHARD).violations, "item_misplaced", 2)


if __name__ == "__main__":
    set_up_django()
    write()
