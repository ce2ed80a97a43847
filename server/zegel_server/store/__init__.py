"""What is kept on disk: one file for each aggregate, and all SQL of the server.

Every function takes a connection first and runs in the writer's or a reader's thread; see `database`.
"""
