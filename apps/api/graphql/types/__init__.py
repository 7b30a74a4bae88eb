"""Object types of the schema."""
