"""Whether a backbone has seen the data set before: what it can complete of it from memory."""
