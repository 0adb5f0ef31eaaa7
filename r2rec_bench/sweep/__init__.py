"""Searching an experiment's settings with Optuna: the definition, the study, and what it leaves behind."""
