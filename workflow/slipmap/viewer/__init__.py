"""``slipmap view``: an area's finished results in a browser on this machine, pixel by pixel."""
