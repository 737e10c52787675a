"""Measured numbers of the documentation, and what their section names that they come from."""

import re

_NUMBER = r"\d[\d.,]*(?:\s?(?:to|–|and)\s?\d[\d.,]*)?"
_UNIT = (
    r"(?:CPU seconds?|seconds?|s|minutes?|min|hours?|(?:million )?pixels/s|pixels? (?:a|each) CPU second|[KMG]i?B"
    r"|times (?:as|the|MintPy)|mm/yr(?! in the line of sight)|rad rms"
    r"|% of (?:the )?(?:pixels|landslides|ground|intervals))"
)
_SCORE = r"\b(?:F1|AUROC|IoU|precision|recall|rms|accuracy)\b[^.|\n]{0,40}?\b[01]\.\d|\b0\.\d+ ± 0\.\d|\| \d\.\d+ \("
MEASURED = re.compile(rf"(?<![\w.`-]){_NUMBER}[\s]{_UNIT}(?![\w/-])|{_SCORE}")
# a command, a test, or a file that a command makes
SOURCE = re.compile(
    r"`[^`]*\b(?:slipmap (?:run|bench|scale|check|status|rates)|make |snakemake |pytest |python -m )[^`]*`"
    r"|`(?:slipmap run|make [a-z-]+)`|^ {4}(?:\.venv/bin/)?(?:slipmap|make|snakemake|python) |`[^`]*\btests?/\w[^`]*`",
    re.MULTILINE,
)


def sections(text):
    """Title and text of each section, up to the next heading of any level."""
    for part in re.split(r"^(?=#{1,4} )", text, flags=re.MULTILINE):
        if part.strip():
            yield part.splitlines()[0].lstrip("# "), part


def without_source(text):
    """Sections with a measured number that name neither a command nor a test; with the numbers."""
    found = {}
    for title, part in sections(text):
        numbers = [
            " ".join(one[0].split()) for one in MEASURED.finditer(re.sub(r"```.*?```", "", part, flags=re.DOTALL))
        ]
        if numbers and not SOURCE.search(part):
            found[title] = numbers
    return found
