"""Physical constants that several stages use."""

SPEED_OF_LIGHT = 299_792_458.0  # m/s
