"""Stage 7, prediction: seamless region-wide maps with uncertainty, and landslide polygons."""
