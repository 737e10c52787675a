from slipmap.jobs.job import job

with job(snakemake):
    from slipmap.config.geocoding import GeocodingSettings
    from slipmap.io.grid import Grid
    from slipmap.sentinel1 import radar_geometry

    radar_geometry.run(
        snakemake.input.products,
        snakemake.input.dem,
        GeocodingSettings(**snakemake.params.settings),
        Grid.load(snakemake.input.grid),
        snakemake.output.geometry,
        orbits=snakemake.params.orbits,
    )
