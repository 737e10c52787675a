"""Published data sets and folders of images, read into the patch store that study areas use too."""
