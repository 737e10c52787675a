"""SBAS-InSAR: from Sentinel-1 at any level to the deformation rate of each pixel.

Sign throughout: an interferogram is reference × conj(secondary), and displacement in the line of sight (LOS), positive
towards the satellite, is d = −λφ/4π. Displacements are in mm, velocities in mm/yr (a year is 365.25 days).
"""
