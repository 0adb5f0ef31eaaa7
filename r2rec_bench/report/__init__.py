"""Reports made from stored results alone: rendered twice, they are the same byte by byte."""
