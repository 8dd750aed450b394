"""The releases and advisories of clients: read from files or the web, decoded strictly.

- `decode.py`: Atom, the JSON of GitHub's API, geth's vulnerabilities.json.
- `feeds.py`: when and from where each is read, and what is kept of it.
"""
