"""Across cohorts: releases of several cohorts, combined from their released files alone."""
