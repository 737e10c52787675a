"""What a job of the workflow is: one run at a time, no orphans, room on disk, the digest of its code."""
