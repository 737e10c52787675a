"""Before a run: the config of a new area, and what an area will take."""
