"""What of the ground moves, told from the radar alone: no inventory, no network. A part of the stage deformation."""
