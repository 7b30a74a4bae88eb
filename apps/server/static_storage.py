"""Static files under names with a hash of their content, JavaScript's imports of one another included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise ships no types
    support_js_module_import_aggregation = True
    manifest_strict = False
