"""How many examples property tests try, and that no example is judged by its time."""

from hypothesis import HealthCheck, settings

settings.register_profile("zegel", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("zegel")
