# Stage 8, report: one self-contained HTML file of whatever stages an area has, and one of each imported data set.


rule report:
    message: "Write the report of {wildcards.area}."
    input: files=of_area(files.reported_files)
    output:
        page=report(
            HERE.report,
            caption="../report/report.rst",
            category="1 Reports",
            labels={"place": "{area}", "what": "the whole report"},
        ),
        tables=directory(HERE.report_tables),
        project=HERE.project,
    params:
        run=reported_settings,
        published=lambda wildcards: tables.digest(Results(wildcards.area).paper_tables),
    resources: mem_mb=memory(2000), runtime=minutes(30)
    script: "../scripts/report.py"


rule report_imported:
    message: "Write the report of the imported data set {wildcards.dataset}."
    input: unpack(lambda wildcards: files.imported_files(RUN, wildcards.dataset))
    output:
        page=report(
            Results("{dataset}").report,
            caption="../report/imported.rst",
            category="1 Reports",
            labels={"place": "{dataset}", "what": "scores on published images"},
        ),
        tables=directory(Results("{dataset}").report_tables),
    wildcard_constraints: dataset=wildcard(IMPORTED)
    params:
        run=lambda wildcards: reported(RUN, wildcards.dataset).model_dump(mode="json"),
        published=lambda wildcards: tables.digest(Results(wildcards.dataset).paper_tables),
    resources: mem_mb=memory(2000), runtime=minutes(30)
    script: "../scripts/report_imported.py"
