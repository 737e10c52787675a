"""Rasters, vectors and grids in and out: block by block, written aside and renamed."""
