"""Who sent a delivery (spec 05, 2.5): the schemes of producers, checked before any script runs. Pure."""
