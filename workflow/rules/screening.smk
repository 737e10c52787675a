# Stage 4, screening: which factors carry information of their own, decided on training ground alone.
from slipmap.config.products import named_factors


rule screening:
    message: "Screen the factors of {wildcards.area}."
    input:
        factors=factor_files,
        inventory=HERE.inventory,
        split=HERE.split,
    output:
        tables=map(HERE.screening, layout.SCREENING_TABLES),
        selection=HERE.selection,
    params:
        settings=settings_of("screening"),
        names=lambda wildcards: factor_names(AREAS[wildcards.area]),
        named=lambda wildcards: named_factors(RUN, wildcards.area),
    threads: 2
    resources: mem_mb=memory(2000), runtime=minutes(60)
    script: "../scripts/screening.py"
