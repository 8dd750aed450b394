"""Grafana boards for what headwatch exports, written as code; `json/` holds what is imported."""
