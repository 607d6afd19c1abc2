"""The Evaluate page: curves over rate, worked out from measured rows."""
