# Pre-deploy.

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('registry', '0002_function_switches'),
        ('tenancy', '0002_default_tenant'),
    ]

    operations = [
        migrations.CreateModel(
            name='Cancellation',
            fields=[
                ('id', models.CharField(max_length=26, primary_key=True, serialize=False)),
                ('name', models.CharField(blank=True, max_length=100)),
                ('started_after', models.BigIntegerField(null=True)),
                ('started_before', models.BigIntegerField()),
                ('expression', models.TextField(blank=True)),
                ('kind', models.CharField(choices=[('bulk_run', 'Bulk Run'), ('run', 'Run'), ('backlog', 'Backlog'), ('start_timeout', 'Start Timeout'), ('finish_timeout', 'Finish Timeout')], default='bulk_run', max_length=20)),
                ('cause', models.CharField(choices=[('none', 'None'), ('event', 'Event'), ('manual', 'Manual'), ('api', 'Api')], max_length=10)),
                ('status', models.CharField(choices=[('running', 'Running'), ('finished', 'Finished'), ('deleted', 'Deleted')], default='running', max_length=10)),
                ('matched', models.PositiveIntegerField(default=0)),
                ('cancelled', models.PositiveIntegerField(default=0)),
                ('created_at', models.BigIntegerField()),
                ('finished_at', models.BigIntegerField(null=True)),
                ('cursor', models.CharField(blank=True, max_length=48)),
                ('walk_until', models.BigIntegerField(null=True)),
                ('due_at', models.BigIntegerField()),
                ('claim', models.CharField(blank=True, max_length=32)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenancy.account')),
                ('app', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='registry.app')),
                ('environment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cancellations', to='tenancy.environment')),
                ('function', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cancellations', to='registry.function')),
            ],
            options={
                'indexes': [models.Index(fields=['environment', '-id'], name='cancellation_by_env'), models.Index(condition=models.Q(('status', 'running')), fields=['due_at'], name='cancellation_due')],
            },
        ),
    ]
