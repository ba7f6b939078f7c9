"""The templates that are part of the package: one file a version in `templates/`, read when first needed."""

from gateway.catalogue.catalogue import BUNDLED, BundledVersion, Catalogue
from gateway.catalogue.release import release

__all__ = ["BUNDLED", "BundledVersion", "Catalogue", "release"]
