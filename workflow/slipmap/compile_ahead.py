"""Compile what the first run would wait for: ``python -m slipmap.compile_ahead``, which ``make install`` calls."""

from concurrent.futures import ProcessPoolExecutor

from slipmap.deformation.compile_ahead import compile_linking, compile_pairs
from slipmap.deformation.inversion import compile_kernel
from slipmap.simulator.compile_ahead import compile_kernels

if __name__ == "__main__":
    with ProcessPoolExecutor() as pool:
        for done in [pool.submit(part) for part in (compile_linking, compile_kernels, compile_kernel, compile_pairs)]:
            done.result()
