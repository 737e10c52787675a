# slipmap: from raw Sentinel-1 and Sentinel-2, a DEM and lithology to region-wide landslide maps and a report.
#
#   snakemake --cores N --resources gpu=1                                         the demo area
#   snakemake --cores N --resources gpu=1 --configfile config/areas/romagna.yaml  another area
#
# Rules are in workflow/rules, one file for each stage; what they ask of the config is in workflow/rules/common. Settings
# are described in config/README.md.

# A config given on the command line replaces the demo's, it does not merge with it.
if not workflow.overwrite_configfiles:

    configfile: f"{workflow.basedir}/config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/fetch.smk"
include: "workflow/rules/deformation.smk"
include: "workflow/rules/event.smk"
include: "workflow/rules/factors.smk"
include: "workflow/rules/screening.smk"
include: "workflow/rules/patches.smk"
include: "workflow/rules/susceptibility.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/prediction.smk"
include: "workflow/rules/report.smk"


# What every rule has: the digest of its code, a log, a benchmark, an environment.
complete_rules(workflow.rules, workflow.current_basedir)


# a second's work on a few lines of text: a cluster need not queue for it
localrules:
    grid,
    summarise_seeds,


onsuccess:
    print(ending(Results(place).report for place in PLACES))


rule all:
    default_target: True
    input:
        [Results(area).report for area in AREAS],
        [Results(name).report for name in IMPORTED if any(is_tested(RUN, e, name) for e in EXPERIMENTS)],
        [Results(area).velocity for area in AREAS if has_deformation(area)],
        [path for area in AREAS for path in files.beside_velocity(RUN, area)],
        [Results(area).event_landslides for area in files.event_areas(RUN)],
        [path for area in AREAS for path in files.susceptibility_files(RUN, area)],
        kept_interferograms,


# The whole run for the latest acquisition, and then what is new since the earlier one (`changes.earlier`).
rule latest:
    input:
        rules.all.input,
        [Results(area).changes for area in AREAS if AREAS[area].changes and files.has_series(RUN, area)],
