"""The pages as rows and cards of words, which the templates only lay out. Pure.

What is wrong comes first and everything is bounded, so that a page is read from the top also with
two hundred nodes of which half are gone.
"""
