"""The context of each page: which selectors it asks, and how their rows come together."""
