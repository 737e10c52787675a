"""Short names of the types of arrays, for annotations; shapes and units are said where an array is described."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Real = NDArray[np.floating]  # either
Complexes = NDArray[np.complex64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
