"""What the toolkit costs: each figure a ratio to a plain way of doing the same, measured side by side."""
