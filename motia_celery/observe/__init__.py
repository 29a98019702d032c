"""What a person sees of a running app: logs, and later runs, traces and metrics."""
