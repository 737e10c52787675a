"""Raw Sentinel-1: from SAFE products (IW SLC) to geocoded, flattened SLCs in OPERA CSLC-S1's layout.

Times are seconds after an epoch (midnight of the acquisition's day), lengths metres, positions Earth-fixed (WGS 84);
τ is the two-way slant range time, t the azimuth (zero-Doppler) time, η the azimuth time from the middle of a burst.
"""
