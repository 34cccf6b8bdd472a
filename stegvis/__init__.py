"""From accelerometer and questionnaire deliveries to estimates of walking and chronic low back pain.

The library: it knows no Dagster. ``stegvis.orchestration``, ``stegvis.assets``, ``stegvis.expectations`` and
``stegvis.sql`` lie at the top of the repository.
"""
