"""An experiment in many ways: every component of a family, crossed with every one of another."""
