"""Trained experiments given to others: published as a folder with a card, fetched with checksums, found by nearness."""
