"""``python -m motia_celery``."""

from motia_celery.cli import main

if __name__ == "__main__":
    main()
