"""How records of runs are shown to a person, and found."""
