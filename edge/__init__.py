"""Parts that both doors, API and web, share: principals, references, filters, bodies, the feed."""
