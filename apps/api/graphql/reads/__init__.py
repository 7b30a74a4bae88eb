"""Queries that only this face needs; the environment is always the first argument."""
