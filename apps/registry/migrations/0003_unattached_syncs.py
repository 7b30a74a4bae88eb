# Pre-deploy.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0002_function_switches'),
        ('tenancy', '0007_session_limits'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='sync',
            index=models.Index(condition=models.Q(('app__isnull', True)), fields=['environment', '-last_synced_at'], name='sync_unattached'),
        ),
    ]
