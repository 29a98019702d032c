"""The Workbench: the app in a browser. Its place; it comes with a later version."""
