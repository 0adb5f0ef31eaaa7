"""Prompting strategies and the two wordings they speak."""
