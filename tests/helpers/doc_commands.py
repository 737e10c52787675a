"""Every command that the documentation shows, and what runs it."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
_FIRST = r"(?:\.venv/bin/)?(?:slipmap|snakemake|make|pip|podman|apptainer|snakedeploy|python|pytest)"
_BLOCK = re.compile(rf"^ {{4}}({_FIRST} [^\n]*(?:\\\n[^\n]*)*)", re.MULTILINE)
_INLINE = re.compile(rf"`({_FIRST} [^`]+)`")


def pages():
    """The README, the pages of the site and what they are made from."""
    names = ("README.md", "config/README.md", "CONTRIBUTING.md")
    return [*(REPOSITORY / name for name in names), *sorted((REPOSITORY / "docs").glob("*.md"))]


def commands(path):
    """Commands of a page, as they are typed: without comments, on one line, without the folder of the environment."""
    text = path.read_text(encoding="utf-8")
    for found in (*_BLOCK.findall(text), *_INLINE.findall(text)):
        plain = re.sub(r"\\\n\s*", "", found)
        plain = " ".join(re.sub(r"\s+#\s.*", "", plain).split()).removeprefix(".venv/bin/")
        yield plain.replace(" .venv/bin/", " ")


INTERNET = "needs the internet"
TOOL = "needs a tool that tests do not have"
LONG = "a target of its own: hours, root or a GPU"

# What runs a command: a test (file::function), or why none does. The first pattern that fits a whole command counts.
RUN_BY = (
    # run by tests/docs/test_commands.py itself, in an empty folder
    (
        r"slipmap (--version|--help|models|models unet|models NAME|factors|COMMAND --help|weights|status( demo)?)",
        "cheap",
    ),
    (r"slipmap weights (--help|publish --help|--near .*)", "cheap"),
    (r"slipmap practice my_data", "cheap"),
    (r"slipmap init (valley|slope) --dem my_data/dem.tif (?!.*--weights).*", "cheap"),
    (r"slipmap init valley --force", "cheap"),
    (r"slipmap check( (valley|slope).yaml)?", "cheap"),
    (r"slipmap template (valley.yaml|FILE|config/config.yaml)", "cheap"),
    (r"slipmap schema", "cheap"),
    (r"slipmap check .*", "cheap"),
    (r"slipmap new-area second --simulated .*", "tests/planning/test_new_area.py::"),
    (r"slipmap new-area( NAME ….*)?|slipmap new-area valley --bbox .*", "tests/planning/test_new_area.py::"),
    # the tutorials, to their reports
    (r"slipmap run (valley|slope).yaml", "tests/workflow/test_tutorials.py::test_the_tutorial_ends_with_its_report"),
    (r"slipmap run valley.yaml --target latest", "tests/workflow/test_latest.py::"),
    (r"slipmap run valley.yaml --target results/.*", "tests/workflow/test_installed.py::test_the_wheel_makes_a_file"),
    (r"slipmap open( \w+)?|slipmap open AREA", "tests/planning/test_status.py::"),
    (r"slipmap run|slipmap run CONFIG( --full-output)?|slipmap run …", "tests/workflow/test_installed.py::"),
    (r"slipmap run config/areas/\w+.yaml", "tests/workflow/test_real.py::"),
    (r"slipmap link \w+ --from PATH", "tests/inputs/test_link.py::"),
    (r"slipmap init .*--weights .*", "tests/planning/test_init.py::"),
    (r"slipmap init (valley --dem dem.tif .*|NAME.*|\w+ .*)|slipmap init", "tests/planning/test_init.py::"),
    (r"slipmap weights publish .*", "tests/sharing/test_weights.py::test_published_weights_come_back_byte_for_byte"),
    (r"slipmap weights fetch.*", "tests/sharing/test_weights.py::test_published_weights_come_back_byte_for_byte"),
    (r"slipmap picture .*", "tests/report/test_overview.py::"),
    (r"slipmap report AREA --pdf", "tests/report/test_printing.py::"),
    (r"slipmap view( AREA)?", "tests/viewer/test_viewer.py::"),
    (r"slipmap rates.*", "tests/planning/test_cost.py::"),
    (r"slipmap scale.*", "tests/planning/test_scale.py::"),
    (r"slipmap bench.*", LONG),
    # Snakemake
    (r"snakemake resources/published/.*", INTERNET),
    (r"snakemake fetched .*", INTERNET),
    (r"snakemake .*--software-deployment-method conda.*", TOOL),
    (r"snakemake .*--workflow-profile workflow/profiles/slurm.*", LONG),
    (r"snakemake -n .*--workflow-profile.*|snakemake --workflow-profile workflow/profiles/workstation .*", "cheap"),
    (r"snakemake results/ecuador/.*", "tests/workflow/test_real.py::"),
    (r"snakemake results/[^ ]*export/motion.kmz.*", "tests/motion/test_export.py::"),
    (r"snakemake results/demo/factors/northness.tif .*", "tests/docs/test_contributing.py::"),
    (r"snakemake -n results/demo/inputs/landslide_share.txt", "tests/docs/test_contributing.py::"),
    (r"snakemake results/.*", "tests/workflow/test_whole.py::"),
    (r"snakemake tables .*|make tables", LONG),
    (r"snakemake --cores .*|snakemake --configfile .*", "tests/workflow/test_whole.py::"),
    # make
    (r"make (demo|test|install|lint|docs|coverage|clean)", "Makefile"),
    (r"make (release|docs-pictures|test-slow|test-slurm|test-faults|bench|bench-deformation|bench-training)", LONG),
    # around
    (r"pip install dist/slipmap-.*", LONG),
    (r"pip install|pip install torch .*|pip install -e '?\.\[slurm\]'?", INTERNET),
    (r"python -c .*Prithvi.*", INTERNET),
    (r"podman .*|apptainer .*", TOOL),
    (r"snakedeploy deploy-workflow https.*", INTERNET),
    (r"python -m benchmarks.(training|mutations|semi_supervised|dag|motion_edges).*", LONG),
    (
        r"python -m benchmarks.demo_intervals .*",
        "tests/deformation/test_truth.py::test_areas_are_pooled_without_the_error_of_their_reference",
    ),
    (r"python -m benchmarks.demo_cost .*", "tests/planning/test_cost.py::test_all_jobs_and_files_of_a_run_are_counted"),
    (r"pytest -m \"not integration and not slow\"", "Makefile"),
)


def runner(command):
    """What runs a command; None where nobody has said."""
    return next((how for pattern, how in RUN_BY if re.fullmatch(pattern, command)), None)
