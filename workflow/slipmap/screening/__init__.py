"""Screening: which factors carry information of their own, decided on training blocks alone."""

from slipmap.screening.driver import run

__all__ = ["run"]
