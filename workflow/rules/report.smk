# Stage 8, report: one self-contained HTML file of whatever stages an area has, and one of each imported data set.


rule report:
    message: "Write the report of {wildcards.area}."
    input: reported_files
    output:
        page=report("results/{area}/report/index.html", caption="../report/report.rst", category="Report"),
        tables=directory("results/{area}/report/tables"),
    params:
        run=reported_settings,
        published=lambda wildcards: tables.digest(f"results/{wildcards.area}/tables"),
    resources: mem_mb=memory(2000), runtime=minutes(30)
    script: "../scripts/report.py"


rule report_imported:
    message: "Write the report of the imported data set {wildcards.dataset}."
    input: unpack(imported_files)
    output:
        page=report("results/{dataset}/report/index.html", caption="../report/imported.rst", category="Report"),
        tables=directory("results/{dataset}/report/tables"),
    wildcard_constraints: dataset="|".join(IMPORTED) or "none"
    params:
        run=lambda wildcards: reported(RUN, wildcards.dataset).model_dump(mode="json"),
        published=lambda wildcards: tables.digest(f"results/{wildcards.dataset}/tables"),
    resources: mem_mb=memory(2000), runtime=minutes(30)
    script: "../scripts/report_imported.py"
