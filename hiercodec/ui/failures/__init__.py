"""The Failures page: where answers go wrong, over measured rows or a visitor's own photographs."""
