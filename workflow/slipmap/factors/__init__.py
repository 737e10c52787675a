"""Factors: everything the maps are made from, each on the area's grid.

`catalogue` holds one `record` for each factor, and `extensions` adds those of other packages; `names` says which of
them an area's inputs allow. One module for each family makes them: `terrain` (on `block`, `surface`, `relief`),
`hydrology`, `distances`, `proximity`, `lithology`, `optical` (on `scenes`, `safe`, `composite`, `indices`), `climate`;
`align` brings any raster onto the grid, and `coverage` reports what is missing.
"""
