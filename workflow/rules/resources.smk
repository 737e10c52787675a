# What jobs ask of a machine. A cluster holds a job to it, and a profile with `retries` resubmits a killed one: each
# attempt asks for as much again. On one machine nothing is enforced unless `--resources mem_mb=` is given.


def memory(base_mb, per_input=0.0):
    """Resource function: megabytes for a job, `base_mb` and `per_input` for each megabyte of its input files.

    Most jobs work block by block and need `base_mb` whatever the area; those that hold a whole raster name the share.
    """

    def mem_mb(wildcards, input, attempt):
        return round((base_mb + (per_input * input.size_mb if per_input else 0)) * attempt)

    return mem_mb


def minutes(base, per_input_gb=0.0):
    """Resource function: minutes for a job, `base` and `per_input_gb` for each gigabyte of its input files."""

    def runtime(wildcards, input, attempt):
        return math.ceil((base + (per_input_gb * input.size_mb / 1000 if per_input_gb else 0)) * attempt)

    return runtime
