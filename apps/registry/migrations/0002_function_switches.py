# Pre-deploy.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0001_registry'),
        ('tenancy', '0002_default_tenant'),
    ]

    operations = [
        migrations.AddField(
            model_name='function',
            name='drained_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='function',
            index=models.Index(condition=models.Q(('paused_at__isnull', False)), fields=['paused_at'], name='function_paused'),
        ),
    ]
