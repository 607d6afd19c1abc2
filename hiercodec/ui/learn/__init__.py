"""The page that teaches the idea."""
