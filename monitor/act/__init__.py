"""Tell: metrics, pages and reports, all drawn from one `Snapshot`.

Drawing is pure: what is shown follows from the snapshot alone, whose `at` is the only "now".
`server` is the shell around it; nothing here asks a node anything.
"""
