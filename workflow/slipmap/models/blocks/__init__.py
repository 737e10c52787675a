"""Building blocks that several architectures share, each from its own paper."""
