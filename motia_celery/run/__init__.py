"""The processes of an app: web, worker, beat, release, and dev, which runs them all."""
