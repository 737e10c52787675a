"""Relative orbit numbers (tracks) of Sentinel-1 from absolute orbit numbers: a fact that is kept here alone.

Relative orbit of absolute orbit n: (n − offset) mod 175 + 1.

- S1A, S1B: 73 and 27 (P. Meadows of ESA's Mission Performance Centre, STEP forum, 2017; ESA's SentiWiki, "Relationship
  between relative and absolute orbit numbers").
- S1C: 172 (SentiWiki) up to absolute orbit 8018, the last with SLC products before the manoeuvre of 8 to 24 June 2026;
  99 after it (ESA at FRINGE 2026; isce-framework/isce2#28130, scottstanie/sentineleof#86).
- S1D: 42 (ESA at FRINGE 2026; absolute orbit 2389 is of track 73 by its manifest, isce-framework/s1-reader#151).

Real products carry the number in their manifest. It goes before these rules.
"""

ORBITS = 175  # in a repeat cycle
CYCLE = 12 * 86400.0  # s
# Satellite → (first absolute orbit, offset), the latest first
_OFFSETS = {"S1A": ((0, 73),), "S1B": ((0, 27),), "S1C": ((8019, 99), (0, 172)), "S1D": ((0, 42),)}


def relative_orbit(satellite: str, absolute: int) -> int | None:
    """Relative orbit number, 1 to 175, of an absolute orbit of a satellite.

    Parameters
    ----------
    satellite : "S1A", "S1B", "S1C" or "S1D", in any case. absolute : orbits since launch.

    Returns
    -------
    None where the rule is not known: another satellite, an orbit number below 1.
    """
    rules = _OFFSETS.get(satellite.strip().upper())
    if rules is None or absolute < 1:
        return None
    offset = next(offset for first, offset in rules if absolute >= first)
    return (absolute - offset) % ORBITS + 1


def preceding(track: int) -> int:
    """The relative orbit that ends at the ascending node where `track` begins."""
    return (track - 2) % ORBITS + 1


def following(track: int) -> int:
    """The relative orbit that begins at the ascending node where `track` ends (1 follows 175)."""
    return track % ORBITS + 1
