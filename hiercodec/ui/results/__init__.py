"""The pages about models and what they measured."""
