from tests.integration.databases import default_database, postgres_settings, sqlite_settings

__all__ = ["default_database", "postgres_settings", "sqlite_settings"]
