"""Data sources, the interaction log, splits and frozen candidates."""
