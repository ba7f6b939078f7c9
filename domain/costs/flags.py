"""The flags of a use: what is missing, impossible or assumed, and why no price applies."""

USAGE_MISSING = "usage_missing"
USAGE_IMPOSSIBLE = "usage_impossible"
WRITE_TERM_ASSUMED = "write_term_assumed"
AMOUNT_AS_NUMBER = "amount_as_number"
OF_REPORT = frozenset((USAGE_MISSING, USAGE_IMPOSSIBLE, WRITE_TERM_ASSUMED, AMOUNT_AS_NUMBER))
"""Flags of a report; all others are about prices, and no longer hold once a price is known."""
TIER_UNPRICED = "tier_unpriced"
PROVIDER_UNKNOWN = "provider_unknown"
MODEL_UNKNOWN = "model_unknown"
PRICE_MISSING = "price_missing"
