from slipmap.jobs.job import checked, job

with job(snakemake):
    import json
    from datetime import date
    from pathlib import Path

    from slipmap.deformation.phase_linking import driver

    driver.run(
        slcs={date.fromisoformat(day): path for day, path in snakemake.params.slcs.items()},
        settings=checked(snakemake.params.settings),
        output=snakemake.output.linked,
        earlier=snakemake.input.earlier,
        threads=snakemake.threads,
        simulated=json.loads(Path(snakemake.input.stack).read_text())["simulated"],
    )
