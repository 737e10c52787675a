"""Stage 8, report: one self-contained HTML file of what was run on which data and what came out, and its tables."""
