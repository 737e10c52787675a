"""Published data sets and folders of images, brought into the patch store that study areas use too.

`driver` imports, whatever the format; `importer` is what a format says of itself (`slipmap.patches.importers`).
"""
