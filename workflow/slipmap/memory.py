"""What a process keeps of the memory that it has freed."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # M_… of glibc's malloc.h
_LEAST_FREE = 2**22  # bytes free at the end of the heap that go back; fewer, passing arrays take again at once


def return_arrays(least: int) -> None:
    """Let arrays of `least` bytes or more go back to the system once they are freed (glibc; elsewhere nothing changes).

    glibc begins so, but with each large array that is freed it raises the size from which it does so, up to 32 MiB.
    Smaller ones then come from one heap, which stays as large as it ever was and has gaps that new arrays do not fit.
    """
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        if set_option is not None:
            set_option(_MMAP_THRESHOLD, least)
            set_option(_TRIM_THRESHOLD, _LEAST_FREE)
