# Stage 8, report: one self-contained HTML file of whatever stages an area has.


rule report:
    message: "Write the report of {wildcards.area}."
    input:
        reported_files,
    output:
        page=report("results/{area}/report/index.html", caption="../report/report.rst", category="Report"),
        tables=directory("results/{area}/report/tables"),
    params:
        run=reported_settings,
        code=code_digest("report", "config/report.py", "colours.py"),
    log:
        "results/{area}/logs/report.log",
    benchmark:
        "results/{area}/benchmarks/report.tsv"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    conda:
        "../../envs/slipmap.yaml"
    script:
        "../scripts/report.py"
