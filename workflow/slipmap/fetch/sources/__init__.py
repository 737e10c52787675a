"""One module for each service that raw data come from."""
