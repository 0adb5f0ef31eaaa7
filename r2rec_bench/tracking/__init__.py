"""What happened in a run, for later: JSON lines always, Weights & Biases on request."""
