"""Where the experiments of a suite run: here, in processes side by side, on a cluster."""
