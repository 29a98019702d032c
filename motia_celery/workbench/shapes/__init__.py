"""The shapes of the Workbench's API, from which the page's types are generated."""
