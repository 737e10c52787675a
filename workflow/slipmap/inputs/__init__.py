"""Stage 1, inputs: where raw data are, whether they can be used, and the simulator."""
