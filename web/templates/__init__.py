"""Pages of templates: the library, one template, its use and what came from it."""
