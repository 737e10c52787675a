"""What a process keeps of the memory that it has freed."""

import ctypes
import os
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # M_… of glibc's malloc.h
_LEAST_FREE = 2**22  # bytes free at the end of the heap that go back; fewer, passing arrays take again at once
_USUAL_PAD = 2**17  # glibc's own
_LARGEST_KEPT = 2**28  # bytes of an array that is kept
_MOST_KEPT, _STEP = 2**29, 2**26  # bytes free at the end of the heap that stay; by which the heap grows


def return_arrays(least: int) -> None:
    """Let arrays of `least` bytes or more go back to the system once they are freed (glibc; elsewhere nothing changes).

    glibc begins so, but with each large array that is freed it raises the size from which it does so, up to 32 MiB.
    Smaller ones then come from one heap, which stays as large as it ever was and has gaps that new arrays do not fit.
    """
    _set({_MMAP_THRESHOLD: least, _TRIM_THRESHOLD: _LEAST_FREE, _TOP_PAD: _USUAL_PAD})


def keep_arrays() -> None:
    """Keep the memory of freed arrays up to 256 MiB for the next ones (glibc; elsewhere nothing changes).

    By itself glibc gives arrays of 32 MiB and more back when they are freed, and the free end of its heap. The next
    array of that size gets new pages then, which the kernel clears one by one: up to a third of a job's time where
    block after block is worked on, as in mapping with a network.
    """
    _set({_MMAP_THRESHOLD: _LARGEST_KEPT, _TRIM_THRESHOLD: _MOST_KEPT, _TOP_PAD: _STEP})


def ask_for_large_pages() -> None:
    """Have the processes that this one starts take their memory in pages of 2 MiB, where the kernel has them.

    For glibc 2.35 and later, by its variable ``GLIBC_TUNABLES``; what is set there already stays. Unwrapping, whose
    solver follows its graph through all of its memory, takes a fifth less time.
    """
    given = os.environ.get("GLIBC_TUNABLES", "")
    if sys.platform == "linux" and "glibc.malloc.hugetlb" not in given:
        os.environ["GLIBC_TUNABLES"] = ":".join(filter(None, (given, "glibc.malloc.hugetlb=1")))


def _set(options: dict[int, int]) -> None:
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, value in options.items():
            set_option(option, value)
