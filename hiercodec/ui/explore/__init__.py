"""The Explore page: its subject, the scrubber, and the panels under it."""
