"""A model trained in one domain and asked in another."""
