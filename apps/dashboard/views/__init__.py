"""Thin views: read the request, ask selectors and services, choose a template."""
