"""What costs more as something grows, and what does not."""
