"""Write operations (spec 03, 6.15), one mixin of the root type per subject."""
