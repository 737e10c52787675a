"""A simulated area: terrain, landslides, Sentinel-1 and -2, climate; deterministic from its seed."""
