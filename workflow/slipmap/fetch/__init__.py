"""Getting an area's raw data: search results kept as files, one download engine, one small module for each source."""
