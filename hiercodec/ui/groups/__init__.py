"""The page Groups: where the hierarchy comes from, how it compares with WordNet, and how stable it is."""
