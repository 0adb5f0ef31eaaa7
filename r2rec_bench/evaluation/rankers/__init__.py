"""Rankers, one per file: from a language model's answers to an order of candidates."""
