"""Pages of an organisation: people, keys, environments, settings and what has happened."""
