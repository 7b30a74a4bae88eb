"""Pages of what an environment is reached by, and of its settings."""
