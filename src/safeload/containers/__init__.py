"""What may lie at a path: archives, folders and things that are no model. The ground that `source.open_source` stands on.

`archive` reads a zip's directory strictly, `folder` lists a directory without following links out of it, `strangers`
knows what is no model by its first bytes, `nearby` what was perhaps meant. Standard library only.
"""
