"""JSON Schemas of Grafana's boards and panels, as `renew` made them from `@grafana/schema`."""
