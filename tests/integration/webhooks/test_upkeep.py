"""Keys of the server that change, environments that go."""

import pytest
from pytest_django.fixtures import Settings

from apps.audit.services import SYSTEM
from apps.credentials import secrets
from apps.credentials.services.rekeying import credentials_rekey
from apps.tenancy import hooks
from apps.tenancy.services.branches import branch_resolve
from apps.webhooks.choices import Scheme
from apps.webhooks.configs import config_by_id
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.services.webhooks import webhook_set_verification
from tests.integration.credentials.world import Organisation
from tests.integration.webhooks.test_log import delivery, write
from tests.integration.webhooks.world import make_hook

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_a_new_encryption_key(acme: Organisation, settings: Settings) -> None:
    settings.STEPWELL_ENCRYPTION_KEYS = ["old"]
    found, plain = make_hook(acme.production), make_hook(acme.production)
    webhook_set_verification(webhook=found.webhook, scheme=Scheme.STRIPE, secret="s", actor=SYSTEM)
    settings.STEPWELL_ENCRYPTION_KEYS = ["new", "old"]
    before = credentials_rekey()
    settings.STEPWELL_ENCRYPTION_KEYS = ["new"]
    config = config_by_id(str(found.webhook.id))
    assert config is not None
    assert (config.verification.secret, before.rewritten) == ("s", 3)
    assert not Webhook.objects.get(key_id=plain.webhook.key_id).has_secret


def test_a_secret_that_nobody_can_read(acme: Organisation, settings: Settings) -> None:
    settings.STEPWELL_ENCRYPTION_KEYS = ["old"]
    found = make_hook(acme.production)
    webhook_set_verification(webhook=found.webhook, scheme=Scheme.STRIPE, secret="s", actor=SYSTEM)
    settings.STEPWELL_ENCRYPTION_KEYS = ["new"]
    assert credentials_rekey().rewritten == 0
    with pytest.raises(secrets.SecretUnreadable):
        config_by_id(str(found.webhook.id))


def test_an_environment_that_is_erased_takes_its_deliveries_with_it(acme: Organisation) -> None:
    found = make_hook(acme.branches)
    branch = branch_resolve(parent=acme.branches, name="b", may_create=True, unarchives=False)
    to_branch = delivery(found, 1)
    to_branch.environment_id = branch.id
    write(to_branch, delivery(found, 2))
    hooks.erase([branch.id])
    assert [int(row.id) for row in Delivery.objects.all()] == [2]


def test_an_account_that_goes_leaves_nothing(acme: Organisation) -> None:
    found = make_hook(acme.production)
    write(delivery(found, 1))
    acme.account.delete()
    assert (Webhook.objects.count(), Delivery.objects.count()) == (0, 0)
