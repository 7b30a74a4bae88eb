"""Reads of the pages. Lists load no payload column; pages of lists go by keyset."""
