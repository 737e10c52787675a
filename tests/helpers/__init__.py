"""What tests of several packages share: samples, servers, runs of the workflow."""
