"""Trunks that several architectures share."""
