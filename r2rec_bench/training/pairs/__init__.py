"""Where the worse completion of a preference comes from, one way per file."""
