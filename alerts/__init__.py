"""The alert rules of headwatch as files: generated from the table in `monitor.act.alerts`."""
