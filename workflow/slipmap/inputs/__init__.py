"""Stage 1, inputs: whether raw data can be used, an area's grid and the inventory on it, and the simulator."""
