"""The history writer: from the engine's streams into the database (design 5.4)."""
