"""Training, writing and scoring on one GPU in bfloat16: a from-scratch model of 100 M parameters, all of whose weights
are trained, and one with 3 B random weights in the shape of Qwen2, with an adapter. Questions and lessons are those of
MovieLens-1M. Peak: memory of the GPU. Share of peak: floating-point operations that the model needs, those for
activations computed again not counted, by what the device can do (arXiv 2204.02311, appendix B).
"""
