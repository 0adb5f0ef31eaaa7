"""The bench measured by itself: nothing is found where there is nothing, and what was planted is."""
