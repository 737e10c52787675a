from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.geocoding import GeocodingSettings
    from slipmap.io.grid import Grid
    from slipmap.sentinel1 import radar_geometry

    radar_geometry.run(
        products=snakemake.input.products,
        dem=snakemake.input.dem,
        settings=GeocodingSettings(**snakemake.params.settings),
        grid=Grid.load(snakemake.input.grid),
        output=snakemake.output.geometry,
        orbits=snakemake.params.orbits,
    )
