"""The page Results: what was measured, as curves over rate and against rivals, and the models."""
