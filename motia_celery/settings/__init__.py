"""Settings: one value of each for a process, read once."""

from motia_celery.settings.fields import PREFIX, Pool, Settings, platform_variables
from motia_celery.settings.sources import load_settings
from motia_celery.settings.urls import masked_url

__all__ = ["PREFIX", "Pool", "Settings", "load_settings", "masked_url", "platform_variables"]
