"""Rankers, metrics, baselines' protocol, and the leakage audit."""
