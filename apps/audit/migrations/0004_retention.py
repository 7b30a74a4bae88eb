"""On PostgreSQL a second way for entries to go, beside the purge of an organisation: with age. Those go that a
checkpoint of their chain tells of, in a transaction that names the account (apps/audit/retention.py)."""

from importlib import import_module

from django.db import migrations

before = import_module("apps.audit.migrations.0002_append_only")

REPLACE = """
CREATE OR REPLACE FUNCTION audit_entry_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('stepwell.audit_purge', true) = OLD.account_id::text THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE' AND current_setting('stepwell.audit_trim', true) = OLD.account_id::text
        AND EXISTS (
            SELECT 1 FROM audit_auditentry c
            WHERE c.account_id = OLD.account_id AND c.action = 'audit.trim' AND c.actor_kind = 'system'
                AND c.number > OLD.number AND (c."after"->>'through')::bigint >= OLD.number
        )
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'entries of the audit log are never changed or deleted';
END $$;
"""
RESTORE = before.CREATE.partition("CREATE TRIGGER")[0]


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_lookups")]
    operations = [
        migrations.RunPython(before.on_postgresql(REPLACE), before.on_postgresql(RESTORE)),
    ]
