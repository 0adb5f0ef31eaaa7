"""A static site to look into runs: tables, figures, and why each item was recommended."""
