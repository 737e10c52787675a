"""Everything that can be seen before any work starts; each stage has checks of its own, called here."""
