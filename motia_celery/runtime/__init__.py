"""Runtimes: they load Step files and call handlers; a run goes in, an outcome comes out."""
