"""What users test their Steps with. Its place; it comes with a later version."""
