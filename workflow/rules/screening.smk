# Stage 4, screening: which factors carry information of their own, decided on training ground alone.

rule screening:
    message: "Screen the factors of {wildcards.area}."
    input:
        factors=lambda wildcards: list(factor_files(wildcards.area).values()),
        inventory="results/{area}/inventory.tif",
        split="results/{area}/patches/split.tif",
    output:
        tables=expand(
            "results/{{area}}/screening/{table}.csv",
            table=[
                "correlation",
                "spearman",
                "vif",
                "vif_selected",
                "importance",
                "pca",
                "frequency_ratio",
                "decision",
            ],
        ),
        selection="results/{area}/screening/selection.json",
    params:
        settings=settings_of("screening"),
        names=lambda wildcards: list(factor_files(wildcards.area)),
    threads: 2
    resources: mem_mb=memory(2000), runtime=minutes(60)
    script: "../scripts/screening.py"
