"""Susceptibility: the Landslide Risk Index and classical models on the same factors."""
