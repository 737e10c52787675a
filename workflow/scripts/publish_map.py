from slipmap.jobs.job import job

with job(snakemake):
    import pyogrio

    from slipmap.prediction import stac, styles

    given = dict(snakemake.input.items())
    fields = pyogrio.read_info(given["landslides"], layer="landslides")["fields"]
    styles.write_styles(
        uncertainty=given["uncertainty"],
        probability_class=given["probability_class"],
        with_motion="motion" in fields,
        outputs={name: getattr(snakemake.output, name) for name in snakemake.params.styles},
    )
    stac.run(
        name=f"{snakemake.wildcards.area}-{snakemake.wildcards.experiment}",
        assets={("class" if name == "classes" else name): path for name, path in given.items()},
        output=snakemake.output.item,
        description=snakemake.params.description,
        simulated=snakemake.params.simulated,
    )
