"""Rewards, one per file: what a completion is worth, in a stated range."""
