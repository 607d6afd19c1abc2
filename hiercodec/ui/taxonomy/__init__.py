"""The pages about hierarchies."""
