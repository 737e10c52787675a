"""Factors: everything the maps are made from, each on the area's grid.

`names` says which factors an area's inputs allow; one module for each family makes them: `terrain` (on `surface`),
`relief`, `hydrology`, `distances`, `lithology`, `optical` (on `scenes`, `safe`, `composite`, `indices`), `climate`;
`align` brings any raster onto the grid, and `coverage` reports what is missing.
"""
