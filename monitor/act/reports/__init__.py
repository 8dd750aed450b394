"""A gate's verdict in the formats that pipelines read, one file a format.

`kinds` is the table of them. All are drawn from one `told.Told`, so that no two can disagree.
"""
