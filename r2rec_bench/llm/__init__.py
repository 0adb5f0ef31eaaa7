"""Backbones, and a language model as the rest of the package uses it: encode, generate, score."""
