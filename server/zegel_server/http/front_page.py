"""The page that a browser shows at the server's address."""

from __future__ import annotations

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Zegel</title>
<style>
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color: #1d2433;
  background: #fdfcf9 }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2rem }
pre { background: #eef0ea; padding: .8rem 1rem; border-radius: .4rem; overflow-x: auto }
</style>
<h1>A Zegel server runs here</h1>
<p>Zegel is a workplace for a professional and a client: conversations, budgets, debts and plans, sealed on their
devices. This server keeps and passes on what it cannot read.</p>
<h2>What it cannot see</h2>
<p>Texts, names, amounts, titles, files, what kind of record something is, passwords and keys.</p>
<h2>What it can see</h2>
<p>Which accounts are members of which dossiers and since when; who may read and write which section; when something
is written, its class and rounded size; when an account was last used, by the day; names of organisations.
The threat model in <code>docs/threat-model.md</code> lists all of it.</p>
<h2>How to use it</h2>
<p>With the command line that comes with Zegel:</p>
<pre>./zegel client --server ADDRESS accept INVITATION --handle YOU
./zegel client --server ADDRESS --as YOU dossiers
./zegel client --server ADDRESS --as YOU read DOSSIER conversation
./zegel client --server ADDRESS --as YOU send DOSSIER conversation "Hello"</pre>
<p>ADDRESS is what stands in your browser's address bar. The password is asked for, or comes from
<code>ZEGEL_PASSWORD</code>. An account needs an invitation; owners of an organisation invite professionals,
professionals invite clients.</p>
</html>
"""


def front_page() -> str:
    """The page as HTML."""
    return _PAGE
