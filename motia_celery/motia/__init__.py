"""What Steps of Motia 1.0 import from ``motia``, where no package of that name is installed."""
