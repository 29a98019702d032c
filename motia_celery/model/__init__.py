"""Steps, triggers, events, runs: frozen values that do no I/O."""
