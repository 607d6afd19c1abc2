"""Training a `wave` model: its context network for rate, then its filter by Eq. 2."""
