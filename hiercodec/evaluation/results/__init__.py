"""Measured rows and what they add up to: files, runs, the table of measurements, and the functions of it."""
