# Stage 4, screening: which factors carry information of their own, decided on training ground alone.
from slipmap.factors.names import factor_names


def screened(area):
    """The table of factors that go on, where the area has an inventory to decide by; else nothing."""
    return [f"results/{area}/screening/selection.json"] if has_inventory(area) else []


def factor_rasters(area):
    """The rasters of an area's factors, in their order."""
    return [f"results/{area}/factors/{name}.tif" for name in factor_names(AREAS[area])]


rule screening:
    message: "Screen the factors of {wildcards.area}."
    input:
        factors=lambda wildcards: factor_rasters(wildcards.area),
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
        names=lambda wildcards: factor_names(AREAS[wildcards.area]),
        code=code_digest("screening", "config/screening.py"),
    log:
        "results/{area}/logs/screening.log",
    benchmark:
        "results/{area}/benchmarks/screening.tsv"
    threads: 2
    resources:
        mem_mb=2000,
        runtime=60,
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/screening.py"
