"""Intervals, paired tests, corrections, power: all from per-user values."""
