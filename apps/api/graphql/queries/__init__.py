"""Read operations, one mixin of the root type per subject."""
