"""Watching over a home: what somebody has to do something about, who is alerted, and how a monitoring system asks."""
