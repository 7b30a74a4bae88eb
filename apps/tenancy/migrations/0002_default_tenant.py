"""The account and environment that a server without tenants of its own works in."""

from django.db import migrations

ACCOUNT = "00000000-0000-4000-a000-000000000000"
ENVIRONMENT = "00000000-0000-4000-b000-000000000000"


def create(apps, schema_editor):
    apps.get_model("tenancy", "Account").objects.get_or_create(id=ACCOUNT, defaults={"name": "Default"})
    apps.get_model("tenancy", "Environment").objects.get_or_create(
        id=ENVIRONMENT, defaults={"account_id": ACCOUNT, "name": "Dev", "slug": "dev"}
    )


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
