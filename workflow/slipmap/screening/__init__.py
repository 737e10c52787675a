"""Screening: which factors carry information of their own, decided on training blocks alone."""
