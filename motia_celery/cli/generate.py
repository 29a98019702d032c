"""Write files that are made from the project."""

from __future__ import annotations

import typer

app = typer.Typer(help=__doc__, no_args_is_help=True)


@app.callback()
def generate() -> None:
    """Write files that are made from the project."""


@app.command()
def types() -> None:
    """Write motia-env.d.ts, by which editors and tsc know what Steps import from 'motia'."""
    from motia_celery.cli.terminal import out
    from motia_celery.run.environment import read_environment
    from motia_celery.run.typings import write_types

    file = write_types(read_environment().project_root)
    if file is None:
        out.print("The package 'motia' is installed here and brings its types: nothing to do.")
    else:
        out.print(f"Wrote {file.name}. It counts where tsconfig.json includes it.")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a Step's config, for editors and other tools."""
    import json

    from motia_celery.model.schema import config_schema

    typer.echo(json.dumps(config_schema(), indent=2))
