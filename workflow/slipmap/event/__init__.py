"""The event map: what failed in a storm or an earthquake, from the first radar image after it."""
