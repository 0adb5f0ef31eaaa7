"""Classical baselines as an ordinary plug-in package: it enters through `r2rec_bench.plugins` like a stranger's."""
